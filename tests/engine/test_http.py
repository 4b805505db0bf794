"""Requests and answers by h11, without a connection."""

import pytest
import trio

from tests.engine.serving import undated
from trio_sio.engine.http import BadRequest, Exchange
from trio_sio.engine.message import BodyTooLarge, Response


class Wire:
    """Brings these pieces, and then the end."""

    def __init__(self, *pieces: bytes, max_header_size: int = 16 * 1024) -> None:
        self._pieces = list(pieces)
        self.written: list[bytes] = []
        self.exchange = Exchange(self.read, self.write, max_header_size)

    async def read(self) -> bytes:
        await trio.lowlevel.checkpoint()
        return self._pieces.pop(0) if self._pieces else b""

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.written.append(data)


async def test_requests_and_answers_one_after_the_other() -> None:
    wire = Wire(
        b"POST /a?b HTTP/1.1\r\nHost: x\r\nX-Y: z\r\nContent-Length: 3\r\n\r\nab",
        b"cHEAD / HTTP/1.0\r\n\r\n",
    )
    exchange = wire.exchange
    head = await exchange.next_head()
    assert head is not None
    assert (head.method, head.target, head.version, head.announced) == ("POST", "/a?b", "1.1", 3)
    assert head.fields == [("Host", "x"), ("X-Y", "z"), ("Content-Length", "3")]
    assert await exchange.read_body(3) == b"abc"
    assert not exchange.is_answered
    answer = exchange.answer(Response(200, [("A", "b")], b"ok"))
    assert undated(answer) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 2\r\n\r\nok"
    assert exchange.is_answered
    assert exchange.behind == b"HEAD / HTTP/1.0\r\n\r\n"
    assert exchange.go_on()
    head = await exchange.next_head()
    assert head is not None
    assert (head.method, head.version) == ("HEAD", "1.0")
    assert exchange.answer(Response(200, [], b"ok")).endswith(b"\r\n\r\n")
    assert not exchange.go_on()  # 1.0 ends the connection


async def test_a_client_that_is_done() -> None:
    assert await Wire().exchange.next_head() is None


@pytest.mark.parametrize("is_whole", [True, False])
async def test_the_size_of_a_head(is_whole: bool) -> None:
    """Whether it comes at once, or h11 waits for more."""

    def head(size: int) -> bytes:
        begin, end = b"DELETE /a HTTP/1.1\r\nHost: x\r\nX-Y: ", b"\r\n\r\n"
        return begin + b"z" * (size - len(begin) - len(end)) + end

    data = head(1000)
    pieces = [data] if is_whole else [data[:990], data[990:]]
    assert await Wire(*pieces, max_header_size=1000).exchange.next_head() is not None
    data = head(1001)
    pieces = [data] if is_whole else [data.replace(b"\r\n\r\n", b"zzzz")]
    with pytest.raises(BadRequest, match=r"may have 1000 bytes \(max_header_size\)") as caught:
        await Wire(*pieces, max_header_size=1000).exchange.next_head()
    assert (caught.value.status, caught.value.option) == (431, "max_header_size")


async def test_what_is_no_request_can_be_refused() -> None:
    exchange = Wire(b"what?\r\n\r\n").exchange
    with pytest.raises(BadRequest) as caught:
        await exchange.next_head()
    assert caught.value.status == 400
    assert exchange.can_refuse
    assert exchange.answer(Response(400)).startswith(b"HTTP/1.1 400 ")


async def test_a_body_that_was_not_read_ends_the_connection() -> None:
    exchange = Wire(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n").exchange
    await exchange.next_head()
    assert b"\r\nConnection: close\r\n" in exchange.answer(Response(413))
    assert not exchange.go_on()


async def test_chunks_are_counted() -> None:
    chunked = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
    wire = Wire(chunked, b"3\r\nabc\r\n", b"3\r\ndef\r\n", b"0\r\n\r\n")
    await wire.exchange.next_head()
    assert await wire.exchange.read_body(6) == b"abcdef"
    wire = Wire(chunked, b"3\r\nabc\r\n", b"3\r\ndef\r\n", b"0\r\n\r\n")
    await wire.exchange.next_head()
    with pytest.raises(BodyTooLarge):
        await wire.exchange.read_body(5)


async def test_a_body_that_breaks_off() -> None:
    exchange = Wire(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nab").exchange
    await exchange.next_head()
    with pytest.raises(trio.BrokenResourceError):
        await exchange.read_body(10)


async def test_who_expects_it_is_told_to_go_on() -> None:
    head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    wire = Wire(head, b"abc")
    await wire.exchange.next_head()
    assert wire.written == []
    assert await wire.exchange.read_body(10) == b"abc"
    assert wire.written == [b"HTTP/1.1 100 \r\n\r\n"]
