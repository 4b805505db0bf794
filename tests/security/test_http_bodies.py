"""Bodies of requests: their size, their length on the wire, their time, and who may send one."""

import gc

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.neighbour import beside, polling, talk_raw
from tests.support.servers import MakeServer
from trio_sio.testing.wire import BINARY_PAYLOAD
from trio_sio.testing.wire_http import WireConnection

HUGE = 10**15 - 1


async def test_cve_2020_36048_a_length_beyond_the_limit_is_refused_before_a_byte_is_read(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_http_buffer_size=100_000_000)
    async with beside(io) as wire:
        for size in (100_000_001, HUGE):
            session = await polling(wire)
            connection = wire.connect()
            await connection.send_request("POST", session.target, {"Content-Length": str(size)})
            response = await connection.receive_response()
            assert (response.status, response.headers["connection"]) == (413, "close")
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_http_buffer_size": 2}


async def test_cve_2020_36048_a_stranger_has_a_hundredth_of_that(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    gates = iter([True])

    @io.use
    async def wait(_: object) -> None:
        if next(gates, False):
            return
        await trio.sleep_forever()

    async with beside(io) as wire:
        session = await wire.handshake()
        response = await session.post_body(b"x" * 100_001)
        assert (response.status, response.headers["connection"]) == (413, "close")
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"handshake_buffer_size": 1}


async def test_cve_2020_36048_a_body_that_drips_has_its_time(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However alive its sender seems; and what had come of it is not kept."""
    io = make_server(body_timeout=20.0)
    async with beside(io) as wire:
        session = await polling(wire)
        connection = wire.connect()
        await connection.send_request("POST", session.target, {"Content-Length": "90000"})
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_drip, connection)
            start = trio.current_time()
            response = await connection.receive_response()
            assert (response.status, trio.current_time() - start) == (408, 20.0)
            nursery.cancel_scope.cancel()
        await connection.aclose()
        await session.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits["body_timeout"] == 1
        assert not [one for one in gc.get_objects() if _is_drip(one)]


async def _drip(connection: WireConnection) -> None:
    while True:
        await connection.send(b"drip" * 16)
        await trio.sleep(1)


def _is_drip(one: object) -> bool:
    return isinstance(one, list) and b"drip" * 16 in one


REFUSED = [
    ("POST", "/socket.io/?EIO=4&transport=polling", 400),
    ("POST", "/socket.io/?EIO=3&transport=polling", 400),
    ("POST", "/socket.io/?EIO=3&transport=polling&sid=nobody", 400),
    ("POST", "/socket.io/?EIO=3&transport=websocket", 400),
    ("POST", "/socket.io/?transport=__proto__", 400),
    ("POST", "/elsewhere", 404),
    ("POST", "/socket.io", 404),
    ("PUT", "/socket.io/?EIO=3&transport=polling", 400),
]


@pytest.mark.parametrize("kind", [BINARY_PAYLOAD, "text/plain", "multipart/form-data"])
@pytest.mark.parametrize(("method", "target", "status"), REFUSED)
async def test_cve_2026_59725_a_refused_post_is_answered_and_its_connection_closed(
    method: str,
    target: str,
    status: int,
    kind: str,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    """Though its body never comes."""
    io = make_server()
    async with beside(io) as wire:
        connection = wire.connect()
        headers = {"Content-Type": kind, "Content-Length": "1000"}
        await connection.send_request(method, target, headers)
        response = await connection.receive_response()
        assert (response.status, response.headers["connection"]) == (status, "close")
        assert await connection.receive_rest() == b""
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert (io.statistics().connections, io.statistics().sessions) == (1, 1)


async def test_cve_2026_59725_many_of_them_leave_nothing_open(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        living = trio.lowlevel.current_statistics().tasks_living
        for _ in range(50):
            connection = wire.connect()
            headers = {"Content-Type": BINARY_PAYLOAD, "Content-Length": "1000"}
            await connection.send_request("POST", REFUSED[0][1], headers)
        await trio.sleep(5)  # nobody reads an answer or closes; the server does
        assert trio.lowlevel.current_statistics().tasks_living == living
        assert io.statistics().connections == 1


async def test_cve_2026_48809_nothing_of_a_body_is_read_before_the_session_is_known(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A client that asks first (`Expect: 100-continue`) is told no, and not to go on."""
    async with beside(make_server()) as wire:
        connection = wire.connect()
        fields = {"Content-Length": "1000", "Expect": "100-continue"}
        await connection.send_request("POST", REFUSED[2][1], fields)
        assert (await connection.receive_response()).status == 400
        assert await connection.receive_rest() == b""


async def test_cve_2026_48809_nor_before_its_length_is_known_to_be_allowed(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(max_http_buffer_size=1000)) as wire:
        session = await polling(wire)
        connection = wire.connect()
        fields = {"Content-Length": "1001", "Expect": "100-continue"}
        await connection.send_request("POST", session.target, fields)
        assert (await connection.receive_response()).status == 413


async def test_no_id_python_engineio_a_body_ends_where_its_length_says(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """What is behind it is the next request, or none; never more of the body."""
    io = make_server()
    heard: list[object] = []
    io.on("say", lambda _, word: heard.append(word))
    body, more = _payload("a"), _payload("b")
    async with beside(io) as wire:
        session = await polling(wire)
        fields = {"Content-Length": str(len(body))}
        body += more + b"\r\n\r\n"
        data = session.poster.request_bytes("POST", session.target, fields, body)
        await session.poster.send(data)
        assert (await session.poster.receive_response()).text == "ok"
        assert (await session.poster.receive_response()).status == 400
        assert await session.poster.receive_rest() == b""
        assert heard == ["a"]


def _payload(word: str) -> bytes:
    packet = f'42["say","{word}"]'
    return f"{len(packet)}:{packet}".encode()


SMUGGLED = b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"
MALFORMED = [
    b"3\r\n1:2XX0\r\n\r\n",
    b"3\r\n1:20\r\n\r\n\r\n",
    b"3\n1:2\n0\n\n",
    b"3;a=\n\r\n1:2\r\n0\r\n\r\n",
    b"3;a\rb\r\n1:2\r\n0\r\n\r\n",
    b"3 \r\n1:2\r\n0\r\n\r\n",
    b"3\r\n1:2\r\n0\r\nX: y\n\r\n\r\n",
    b"3\r\n1:2\r\n0\r\nX: y\r\n folded\r\n\r\n",
    b"3\r\n1:2\r\n0\r\n\n",
    b"0x3\r\n1:2\r\n0\r\n\r\n",
    b"+3\r\n1:2\r\n0\r\n\r\n",
    b"-1\r\n1:2\r\n0\r\n\r\n",
    b"F" * 20 + b"\r\n1:2",
    b"",
]
WELL_FORMED = [b"3\r\n1:2\r\n0\r\n\r\n", b"3;a=b\r\n1:2\r\n0\r\nX: y\r\n\r\n"]


@pytest.mark.parametrize("chunks", WELL_FORMED)
async def test_cve_2025_43859_what_is_behind_well_formed_chunks_is_the_next_request(
    chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """So what is refused below is refused for what it is."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection = wire.connect()
        await connection.send(head.encode() + chunks + SMUGGLED)
        assert (await connection.receive_response()).text == "ok"
        assert (await connection.receive_response()).status == 200
        assert io.statistics().sessions == 3
        assert await session.poll() == ["3"]


@pytest.mark.parametrize("chunks", MALFORMED)
@pytest.mark.parametrize("encoding", ["chunked", "Chunked"])
async def test_cve_2025_43859_malformed_chunks_are_refused_and_nothing_behind_them_is_a_request(
    encoding: str, chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However their terminators are spelled: one answer, and the end, of the session, too."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {encoding}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + chunks + SMUGGLED)
        assert response.status == 400, response
        await wait_all_tasks_blocked()
        assert io.statistics().sessions == 1  # the smuggled one began none
        assert (await session.post_body(b"1:2")).status == 400


@pytest.mark.parametrize("chunks", WELL_FORMED + MALFORMED)
@pytest.mark.parametrize(
    "encoding",
    [
        *("chunked, identity", "identity", "\x0bchunked", "gzip", "gzip, chunked", "", ","),
        *("chunked, chunked", "chunked\r\nTransfer-Encoding: chunked", "chunked;a=b"),
        *("\r\n chunked", "chunked\r\n ,gzip", '"chunked"', "xchunked"),
    ],
)
async def test_cve_2025_43859_other_codings_are_refused_and_nothing_behind_them_is_a_request(
    encoding: str, chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Before anything of the body is read: the session goes on."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {encoding}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + chunks + SMUGGLED)
        assert response.status in (400, 501), response
        assert io.statistics().sessions == 2  # the smuggled one began no session
        await session.post("2")
        assert await session.poll() == ["3"]


LENGTHS = [
    "Content-Length: 3\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked\r\nContent-Length: 3",
    "Content-Length: 3\r\nContent-Length: 4",
    "Content-Length: 3\r\nContent-Length: 3",
    "Content-Length: 3, 3",
    "Content-Length: 3\r\n 4",
    "Content-Length: 3\r\nTransfer-Encoding: gzip, chunked",
    "Content-Length: 3, 4",
    "Content-Length: -3",
    "Content-Length: +3",
    "Content-Length: 0x3",
    "Content-Length: 3 3",
    "Content-Length:\x0b3",
    "Content-Length : 3",
    "Content-Length: ",
    "Content-Length: ³",
    f"Content-Length: {'9' * 5000}",
]


@pytest.mark.parametrize("lengths", LENGTHS)
async def test_cve_2025_43859_a_body_of_two_lengths_or_none_that_is_a_number_is_refused(
    lengths: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + b"1:2" + SMUGGLED)
        assert response.status == 400, response
        assert io.statistics().sessions <= 2
