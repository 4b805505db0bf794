"""Bodies of requests: their size, their length on the wire, their time, and who may send one."""

import gc

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.security.clients import is_served_by_polling, polling
from tests.security.neighbour import beside, talk_raw
from tests.support.servers import MakeServer
from trio_sio.testing.wire import BINARY_PAYLOAD, text_payload
from trio_sio.testing.wire_http import WireConnection

HUGE = 10**15 - 1


async def test_cve_2020_36048_a_length_beyond_the_limit_is_refused_before_a_byte_is_read(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_http_buffer_size=100_000_000)
    async with beside(io) as wire:
        for size in (100_000_001, HUGE):
            session = await polling(wire, eio=eio)
            connection = wire.connect()
            await connection.send_request("POST", session.target, {"Content-Length": str(size)})
            response = await connection.receive_response()
            assert (response.status, response.headers["connection"]) == (413, "close")
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_http_buffer_size": 2}


async def test_cve_2020_36048_a_stranger_has_a_hundredth_of_that(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    gates = iter([True])

    @io.use
    async def wait(_: object) -> None:
        if next(gates, False):
            return
        await trio.sleep_forever()

    async with beside(io) as wire:
        session = await wire.handshake(eio=eio)
        response = await session.post_body(b"x" * 100_001)
        assert (response.status, response.headers["connection"]) == (413, "close")
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"handshake_buffer_size": 1}


async def test_cve_2020_36048_a_body_that_drips_has_its_time(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However alive its sender seems; and what had come of it is not kept."""
    io = make_server(body_timeout=20.0)
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
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


DRIP = b"drip" * 16


async def _drip(connection: WireConnection) -> None:
    while True:
        await connection.send(DRIP)
        await trio.sleep(1)


def _is_drip(one: object) -> bool:
    return isinstance(one, list) and any(type(part) is bytes and part == DRIP for part in one)


REFUSED = [("POST", ""), ("POST", "&sid=nobody"), ("PUT", "")]
"""Methods, and what is in the query besides."""


@pytest.mark.parametrize("kind", [BINARY_PAYLOAD, "text/plain", "multipart/form-data"])
@pytest.mark.parametrize(("method", "query"), REFUSED)
async def test_cve_2026_59725_a_refused_post_is_answered_and_its_connection_closed(
    eio: int,
    method: str,
    query: str,
    kind: str,
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    """Though its body never comes."""
    io = make_server()
    async with beside(io) as wire:
        connection = wire.connect()
        headers = {"Content-Type": kind, "Content-Length": "1000"}
        target = wire.target("polling", eio=eio) + query
        await connection.send_request(method, target, headers)
        response = await connection.receive_response()
        assert (response.status, response.headers["connection"]) == (400, "close")
        assert await connection.receive_rest() == b""
        await connection.aclose()
        await wait_all_tasks_blocked()
        assert (io.statistics().connections, io.statistics().sessions) == (1, 1)


async def test_cve_2026_59725_many_of_them_leave_nothing_open(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        living = trio.lowlevel.current_statistics().tasks_living
        for _ in range(50):
            connection = wire.connect()
            headers = {"Content-Type": BINARY_PAYLOAD, "Content-Length": "1000"}
            await connection.send_request("POST", wire.target("polling", eio=eio), headers)
        await trio.sleep(5)  # nobody reads an answer or closes; the server does
        assert trio.lowlevel.current_statistics().tasks_living == living
        assert io.statistics().connections == 1


async def test_cve_2026_48809_nothing_of_a_body_is_read_before_the_session_is_known(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A client that asks first (`Expect: 100-continue`) is told no, and not to go on."""
    async with beside(make_server()) as wire:
        connection = wire.connect()
        fields = {"Content-Length": "1000", "Expect": "100-continue"}
        await connection.send_request("POST", wire.target("polling", sid="nobody", eio=eio), fields)
        assert (await connection.receive_response()).status == 400
        assert await connection.receive_rest() == b""


async def test_cve_2026_48809_nor_before_its_length_is_known_to_be_allowed(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(max_http_buffer_size=1000)) as wire:
        session = await polling(wire, eio=eio)
        connection = wire.connect()
        fields = {"Content-Length": "1001", "Expect": "100-continue"}
        await connection.send_request("POST", session.target, fields)
        assert (await connection.receive_response()).status == 413


async def test_no_id_python_engineio_a_body_ends_where_its_length_says(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """What is behind it is the next request, or none; never more of the body."""
    io = make_server()
    heard: list[object] = []
    io.on("say", lambda _, word: heard.append(word))
    body, more = _payload("a", eio), _payload("b", eio)
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        fields = {"Content-Length": str(len(body))}
        body += more + b"\r\n\r\n"
        data = session.poster.request_bytes("POST", session.target, fields, body)
        await session.poster.send(data)
        assert (await session.poster.receive_response()).text == "ok"
        assert (await session.poster.receive_response()).status == 400
        assert await session.poster.receive_rest() == b""
        assert heard == ["a"]


def _payload(word: str, eio: int) -> bytes:
    return text_payload([f'42["say","{word}"]'], eio)


@pytest.mark.parametrize("size", [4, 1000])
@pytest.mark.parametrize("kind", [BINARY_PAYLOAD, f"{BINARY_PAYLOAD}; charset=x"])
async def test_cve_2026_59725_so_is_a_binary_one_of_a_client_of_4(
    kind: str, size: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Which knows no such bodies; one that names a charset is text to 4.x."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=4)
        fields = {"Content-Type": kind, "Content-Length": str(size)}
        await session.poster.send_request("POST", session.target, fields, b"3abc")
        if "charset" in kind:
            if size == 4:
                assert (await session.poster.receive_response()).text == "ok"
                assert await is_served_by_polling(session)
            return
        response = await session.poster.receive_response()
        assert (response.status, response.headers["connection"]) == (400, "close")
        assert await session.poster.receive_rest() == b""
        await session.aclose()
        await wait_all_tasks_blocked()
        assert (io.statistics().connections, io.statistics().sessions) == (1, 1)


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


def in_words_of(eio: int, data: bytes) -> bytes:
    """Return the same with the packet of a client of that revision, in as many bytes."""
    return data if eio == 3 else data.replace(b"1:2", b"3ab")


@pytest.mark.parametrize("chunks", WELL_FORMED)
async def test_cve_2025_43859_what_is_behind_well_formed_chunks_is_the_next_request(
    eio: int, chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """So what is refused below is refused for what it is."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n"
        connection = wire.connect()
        await connection.send(head.encode() + in_words_of(eio, chunks) + SMUGGLED)
        assert (await connection.receive_response()).text == "ok"
        assert (await connection.receive_response()).status == 200
        assert io.statistics().sessions == 3
        if eio == 3:
            assert await session.poll() == ["3"]
        assert await is_served_by_polling(session)


@pytest.mark.parametrize("chunks", MALFORMED)
@pytest.mark.parametrize("encoding", ["chunked", "Chunked"])
async def test_cve_2025_43859_malformed_chunks_are_refused_and_nothing_behind_them_is_a_request(
    eio: int, encoding: str, chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """However their terminators are spelled: one answer, and the end, of the session, too."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {encoding}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + in_words_of(eio, chunks) + SMUGGLED)
        assert response.status == 400, response
        await wait_all_tasks_blocked()
        assert io.statistics().sessions == 1  # the smuggled one began none
        assert (await session.post_body(in_words_of(eio, b"1:2"))).status == 400


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
    eio: int, encoding: str, chunks: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Before anything of the body is read: the session goes on."""
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: {encoding}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + in_words_of(eio, chunks) + SMUGGLED)
        assert response.status in (400, 501), response
        assert io.statistics().sessions == 2  # the smuggled one began no session
        assert await is_served_by_polling(session)


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
    eio: int, lengths: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\n{lengths}\r\n\r\n"
        response = await talk_raw(wire, head.encode() + in_words_of(eio, b"1:2") + SMUGGLED)
        assert response.status == 400, response
        assert io.statistics().sessions <= 2
