"""What packets go by: each as it is, right or wrong."""

import pytest
import trio

from tests.support.conformance import http, scripted
from trio_sio.conformance.comparison.line import (
    PollingLine,
    WebSocketLine,
    body_of,
    session_target,
)
from trio_sio.conformance.comparison.visitor import Visitor
from trio_sio.conformance.target import Target
from trio_sio.http import Headers
from trio_sio.testing.wire import PacketText
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import PING, PONG, WireWebSocket, frame_bytes

RESPONSE = WireResponse(101, "", Headers([]), b"")


async def post_of(line: PollingLine, server: trio.abc.Stream, *packets: PacketText) -> bytes:
    """Send packets, and return the request."""
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.send, packets)
        request = bytes(await server.receive_some())
        await server.send_all(http("ok"))
    return request


async def test_a_post_of_engine_io_4() -> None:
    stream, server = trio.testing.memory_stream_pair()
    line = PollingLine(WireConnection(stream), "/x", "polling", 4)
    head, _, sent = (await post_of(line, server, "4\u20ac", b"\x01\x02", "x")).partition(
        b"\r\n\r\n"
    )
    assert b"Content-Type: text/plain;charset=UTF-8" in head
    assert sent == "4\u20ac\x1ebAQI=\x1ex".encode()


@pytest.mark.parametrize(
    ("how", "packets", "kind", "body"),
    [
        ("polling", ["42[]", "x", ""], "text/plain;charset=UTF-8", b"4:42[]1:x0:"),
        ("polling", ["4é", b"\x04a"], "application/octet-stream", b"\0\3\xff4\xc3\xa9\1\2\xff\4a"),
        ("polling", [b""], "application/octet-stream", b"\1\0\xff"),
        ("polling-base64", ["4\U0001f600", b"\x04a"], "text/plain;charset=UTF-8", None),
        ("polling-jsonp", ["4\n\\n+"], "application/x-www-form-urlencoded", None),
    ],
)
async def test_a_post(how: str, packets: list[PacketText], kind: str, body: bytes | None) -> None:
    wanted = {
        "polling-base64": "3:4\U0001f6006:b4YQ==".encode(),
        "polling-jsonp": b"d=5%3A4%5Cn%5C%5Cn%2B",
    }
    stream, server = trio.testing.memory_stream_pair()
    line = PollingLine(WireConnection(stream), "/x", how)
    head, _, sent = (await post_of(line, server, *packets)).partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x HTTP/1.1\r\n")
    assert f"Content-Type: {kind}".encode() in head
    assert sent == (wanted[how] if body is None else body)


async def test_what_is_remarkable_of_an_answer() -> None:
    async with scripted(http("ok"), http("no", 400)) as target:
        line = PollingLine(await target.connect(), "/", "polling")
        assert await line.send(["4a"]) == []
        assert await line.post(b"what", "text/plain") == ["a POST was answered 400 no"]
        await line.aclose()


def websocket() -> tuple[WebSocketLine, WireWebSocket]:
    """A client's WebSocket, and the server's end of it, which masks as clients do."""
    stream, server = trio.testing.memory_stream_pair()
    mine = WireWebSocket(WireConnection(stream), RESPONSE)
    return WebSocketLine(mine), WireWebSocket(WireConnection(server), RESPONSE)


async def test_what_comes_by_websocket() -> None:
    line, server = websocket()
    visitor = Visitor("0")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.read, visitor)
        stream = server.connection.stream
        for frame in (
            frame_bytes(1, b"40", mask=None),
            frame_bytes(2, b"\x04a", mask=None),
            frame_bytes(PONG, b"x", mask=None),
            frame_bytes(PING, b"y", mask=None),
            frame_bytes(8, b"\x03\xe9", mask=None),
        ):
            await stream.send_all(frame)
        await trio.testing.wait_all_tasks_blocked()
        await stream.aclose()
    assert visitor.take_heard({}) == {
        "/": ["40"],
        "engine": [r"b'\x04a'", "a pong frame with b'x'"],
        "end": ["close frame, code 1001"],
    }


@pytest.mark.parametrize("ends", [False, True])
async def test_settling_waits_for_a_pong_or_the_end(*, ends: bool) -> None:
    line, server = websocket()
    visitor = Visitor("0")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(line.read, visitor)
        settled = trio.Event()

        @nursery.start_soon
        async def settle() -> None:
            await line.settle()
            settled.set()

        await trio.testing.wait_all_tasks_blocked()
        assert not settled.is_set()
        stream = server.connection.stream
        if ends:
            await stream.aclose()
        else:
            await stream.send_all(frame_bytes(PONG, b"trio_sio mark", mask=None))
        await settled.wait()
        await line.aclose()
        if ends:
            await line.settle()  # there is nothing to wait for
    assert "engine" not in visitor.take_heard({})


def test_jsonp_is_undone() -> None:
    response = WireResponse(200, "OK", Headers([]), b'___eio[0]("3:4\\u20aca");')
    assert body_of(response) == "3:4\u20aca".encode()


def test_where_requests_go() -> None:
    target = Target("localhost", 3000)
    assert session_target(target, "polling-jsonp", "S") == (
        "/socket.io/?EIO=3&transport=polling&j=0&b64=1&sid=S"
    )
