"""HTTP by hand: what is written, and how answers are read."""

import pytest
import trio
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair, wait_all_tasks_blocked

from trio_sio.testing.wire_http import WireConnection

HELLO = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nx-a:  2 \r\n\r\nhello"


def make() -> tuple[WireConnection, trio.abc.Stream]:
    ours, theirs = memory_stream_pair()
    return WireConnection(ours), theirs


@pytest.mark.parametrize(
    ("headers", "body", "sent"),
    [
        (None, b"", b"Host: wire\r\n\r\n"),
        ({"host": "a"}, b"", b"host: a\r\n\r\n"),
        ({"Host": "a", "X": "\xe9"}, b"", b"Host: a\r\nX: \xe9\r\n\r\n"),
        (None, b"ab", b"Host: wire\r\nContent-Length: 2\r\n\r\nab"),
        ({"content-length": "9"}, b"ab", b"Host: wire\r\ncontent-length: 9\r\n\r\nab"),
        (
            {"Transfer-Encoding": "chunked"},
            b"0\r\n\r\n",
            b"Host: wire\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        ),
    ],
)
async def test_requests_are_written_as_told(
    headers: dict[str, str] | None, body: bytes, sent: bytes, autojump_clock: MockClock
) -> None:
    connection, server = make()
    await connection.send_request("PUT", "/a?b", headers, body)
    await connection.aclose()
    assert bytes(await server.receive_some()) == b"PUT /a?b HTTP/1.1\r\n" + sent


async def test_bytes_can_be_cut(autojump_clock: MockClock) -> None:
    ours, theirs = lockstep_stream_pair()
    connection = WireConnection(ours)
    received = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def read() -> None:
            while data := await theirs.receive_some():
                received.append(bytes(data))

        await connection.send(b"abcdefg", cut=3)
        await connection.aclose()
    assert received == [b"abc", b"def", b"g"]


@pytest.mark.parametrize("cut", [1, 7, 10_000])
async def test_answers_are_read_however_they_are_cut(cut: int, autojump_clock: MockClock) -> None:
    connection, server = make()
    data = (
        b"HTTP/1.1 100 \r\n\r\n"
        + HELLO
        + HELLO.removesuffix(b"hello")
        + b"HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n"
        + b"HTTP/1.1 200 OK\r\n\r\nuntil the end"
    )
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def answer() -> None:
            for start in range(0, len(data), cut):
                await server.send_all(data[start : start + cut])
                await wait_all_tasks_blocked()
            await server.aclose()

        assert (await connection.receive_response()).status == 100
        response = await connection.receive_response()
        assert (response.status, response.reason, response.text) == (200, "OK", "hello")
        assert response.headers.get_all("X-A") == ["1", "2"]
        assert (await connection.receive_response(to="HEAD")).body == b""
        assert (await connection.receive_response()).status == 304
        assert (await connection.receive_response()).body == b"until the end"


@pytest.mark.parametrize("data", [b"", b"HTTP/1.1 200 OK\r\n", HELLO[:-1]])
async def test_an_answer_that_breaks_off(data: bytes, autojump_clock: MockClock) -> None:
    connection, server = make()
    if data:
        await server.send_all(data)
    await server.aclose()
    with pytest.raises(trio.BrokenResourceError, match="closed the connection"):
        await connection.receive_response()


async def test_the_rest_has_what_was_read_already(autojump_clock: MockClock) -> None:
    connection, server = make()
    await server.send_all(HELLO + b"more")
    assert (await connection.receive_response()).body == b"hello"
    await server.send_all(b" and more")
    await server.aclose()
    assert await connection.receive_rest() == b"more and more"
    assert await connection.receive_rest() == b""
