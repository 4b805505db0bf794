"""Packets by long polling and by WebSocket, and what is told when a server does it wrong."""

from dataclasses import replace

import pytest
import trio

import trio_sio
from tests.support.conformance import http, payload, scripted
from tests.support.peers import served
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Ended, Unexpected
from trio_sio.testing.clients.transports import (
    TRANSPORTS,
    Polling,
    WebSocket,
    transports_of,
)

JAVASCRIPT = "text/javascript; charset=UTF-8"


@pytest.mark.parametrize(
    ("query", "response"),
    [
        ("", payload("4one", "4\u20ac")),
        ("b64=1", payload("4one", "4\u20ac")),
        ("j=0", http('___eio[0]("4:4one2:4\\u20ac");', kind=JAVASCRIPT)),
        ("", http(b"\0\4\xff4one\0\4\xff4\xe2\x82\xac", kind="application/octet-stream")),
    ],
)
async def test_a_poll_gives_one_packet_after_the_other(query: str, response: bytes) -> None:
    async with scripted(response) as target:
        polling = await Polling.open(target, query)
        assert [await polling.receive(), await polling.receive()] == ["4one", "4\u20ac"]
        await polling.aclose()


async def test_a_poll_of_engine_io_4() -> None:
    async with scripted(http("4one\x1e4\u20ac\x1ebAQI=")) as target:
        polling = await Polling.open(replace(target, protocol=5))
        assert [await polling.receive() for _ in range(3)] == ["4one", "4\u20ac", b"\x01\x02"]
        await polling.aclose()


@pytest.mark.parametrize("body", ["", "4one\x1e", "7", "bAQI", "b-_8="])
async def test_what_is_no_payload_of_engine_io_4(body: str) -> None:
    async with scripted(http(body)) as target:
        polling = await Polling.open(replace(target, protocol=5))
        with pytest.raises(Unexpected, match="no payload"):
            await polling.receive()
        await polling.aclose()


def test_transports_of_each_protocol() -> None:
    assert transports_of(4) == TRANSPORTS
    assert {*transports_of(4)} - {*transports_of(5)} == {"polling-jsonp"}


@pytest.mark.parametrize(
    ("query", "response", "told"),
    [
        ("", http("no length"), "no payload: b'no length'"),
        ("j=0", http("4:4one"), "no JSONP: '4:4one'"),
        ("j=0", http("___eio[0](x);"), "JSONP calls its function with"),
        ("j=0", http("___eio[0](1);"), "JSONP calls its function with a string, not 1"),
    ],
)
async def test_what_is_no_payload(query: str, response: bytes, told: str) -> None:
    async with scripted(response) as target:
        polling = await Polling.open(target, query)
        with pytest.raises(Unexpected) as caught:
            await polling.receive()
        assert str(caught.value).startswith(told)
        await polling.aclose()


async def test_a_refusal_is_the_end() -> None:
    async with scripted(http("no", status=400), http("never", status=400)) as target:
        polling = await Polling.open(target)
        with pytest.raises(Ended, match="a poll was answered 400 b'no'"):
            await polling.receive()
        with pytest.raises(Ended, match="a POST was answered 400 b'never'"):
            await polling.send("4one")
        await polling.aclose()


async def test_a_post_has_to_be_answered_ok() -> None:
    async with scripted(http("OK"), http("fine")) as target:
        polling = await Polling.open(target)
        await polling.send("4one")
        with pytest.raises(Unexpected, match="the answer to a POST: expected b'ok', got b'fine'"):
            await polling.send("4one")
        with pytest.raises((Unexpected, trio.TooSlowError), match=r"within|waited"):
            await polling.send("4one")
        await polling.aclose()


@pytest.mark.parametrize(
    ("response", "kind", "told"),
    [
        (http("no", status=400), Ended, "a WebSocket was refused: 400 b'no'"),
        (
            b"HTTP/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: x\r\n\r\n",
            Unexpected,
            "Sec-WebSocket-Accept: expected",
        ),
    ],
)
async def test_handshakes_that_fail(response: bytes, kind: type[Unexpected], told: str) -> None:
    async with scripted(response) as target:
        with pytest.raises(kind) as caught:
            await WebSocket.open(target)
        assert str(caught.value).startswith(told)


async def test_a_websocket_tells_how_it_ends() -> None:
    async with served(trio_sio.Server()) as url:
        websocket = await WebSocket.open(Target.parse(url))
        opening = await websocket.receive()
        assert isinstance(opening, str)
        assert opening.startswith("0{")
        assert await websocket.receive() == "40"
        await websocket.send("1")
        with pytest.raises(Ended, match="close frame"):
            await websocket.receive()
        await websocket.aclose()
