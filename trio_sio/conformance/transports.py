"""The ways that packets take: long polling in its encodings, and WebSocket.

A packet is `str` or `bytes` with its type in front, as on a WebSocket: "4hello", b"\\x04\\x00".
"""

import json
from collections import deque
from collections.abc import Iterable
from contextlib import AsyncExitStack
from typing import Protocol
from urllib.parse import quote_plus

import trio

from trio_sio.conformance.expectation import Ended, Unexpected, expect, require, shown
from trio_sio.conformance.target import Target
from trio_sio.engine.websocket.handshake import accept_value
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing.wire import (
    BINARY_PAYLOAD,
    TEXT_PAYLOAD,
    PacketText,
    binary_payload,
    payload_packets,
    text_payload,
)
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, handshake_headers


class Transport(Protocol):
    """What a client needs of its transport."""

    def begin(self, sid: str) -> None:
        """Belong to this session, which the server has just opened."""

    async def send(self, *packets: PacketText) -> None:
        """Send packets, in one request where requests are."""

    async def receive(self) -> PacketText:
        """Return the next packet.

        Raises:
            Ended: there is no session any more.
        """

    async def aclose(self) -> None:
        """Drop the connections."""


class Polling:
    """Long polling: one connection for GET, one for POST, as a browser has them.

    Args:
        target: the server.
        query: more for the query: "b64=1", "j=0".
        getting: the connection for GET.
        posting: the connection for POST.

    Attributes:
        getting: the connection for GET.
        posting: the connection for POST.
    """

    def __init__(
        self, target: Target, query: str, getting: WireConnection, posting: WireConnection
    ) -> None:
        self.getting = getting
        self.posting = posting
        self._target = target
        self._query = query
        self._sid = ""
        self._jsonp = query.startswith("j=")
        self._base64 = query.startswith("b64=")
        self._received: deque[PacketText] = deque()

    @classmethod
    async def open(cls, target: Target, query: str = "") -> "Polling":
        """Open the connections.

        Raises:
            OSError: the server cannot be reached.
            trio.TooSlowError: it did not answer in time.
        """
        async with AsyncExitStack() as stack:
            getting = await target.connect()
            stack.push_async_callback(getting.aclose)
            posting = await target.connect()
            stack.pop_all()
            return cls(target, query, getting, posting)

    @property
    def request_target(self) -> str:
        """Where polls and POSTs go."""
        return self._target.request_target("polling", self._query, self._sid)

    def begin(self, sid: str) -> None:
        """Poll for this session from now on."""
        self._sid = sid

    async def send(self, *packets: PacketText) -> None:
        """Send packets in one POST.

        Raises:
            Ended: it was refused.
            Unexpected: it was answered otherwise than "ok".
        """
        if self._jsonp:
            text = text_payload(packets).decode().replace("\\n", "\\\\n")
            body = b"d=" + quote_plus(text.replace("\n", "\\n")).encode()
            response = await self.post(body, "application/x-www-form-urlencoded")
        elif not self._base64 and any(isinstance(packet, bytes) for packet in packets):
            response = await self.post(binary_payload(packets), BINARY_PAYLOAD)
        else:
            response = await self.post(text_payload(packets), TEXT_PAYLOAD)
        if response.status != 200:
            raise Ended(f"a POST was answered {response.status} {response.body!r}")
        expect(response.body.lower(), b"ok", "the answer to a POST")

    async def post(self, body: bytes, kind: str = TEXT_PAYLOAD) -> WireResponse:
        """Send any body, of this Content-Type, and return the response.

        Raises:
            trio.BrokenResourceError: the server closed the connection instead.
            Unexpected: it did neither in time.
        """
        headers = {"Content-Type": kind}
        with trio.move_on_after(self._target.patience):
            return await self.posting.request("POST", self.request_target, headers, body)
        raise Unexpected(f"a POST was not answered within {self._target.patience:g} s")

    async def poll(self) -> WireResponse:
        """Poll, and return the response."""
        return await self.getting.request("GET", self.request_target)

    async def receive(self) -> PacketText:
        """Return the next packet; polls if none is left.

        Raises:
            Ended: a poll was refused.
            Unexpected: a response has no payload.
        """
        while not self._received:
            self._received.extend(self._packets_of(await self.poll()))
        return self._received.popleft()

    def _packets_of(self, response: WireResponse) -> Iterable[PacketText]:
        if response.status != 200:
            raise Ended(f"a poll was answered {response.status} {response.body!r}")
        binary = response.headers.get("content-type") == BINARY_PAYLOAD
        body = _called_with(response.text) if self._jsonp else response.body
        try:
            return payload_packets(body, binary=binary)
        except RemoteProtocolError as error:
            raise Unexpected(f"no payload: {shown(body)}: {error}") from error

    async def aclose(self) -> None:
        """Drop both connections."""
        await self.getting.aclose()
        await self.posting.aclose()


class WebSocket:
    """A WebSocket, of a new session or of one that it upgrades.

    Args:
        wire: the WebSocket, its opening handshake done.

    Attributes:
        wire: the same, for checks that send frames of their own.
    """

    def __init__(self, wire: WireWebSocket) -> None:
        self.wire = wire

    @classmethod
    async def open(cls, target: Target, query: str = "", sid: str = "") -> "WebSocket":
        """Do the opening handshake.

        Raises:
            Ended: it was refused.
            Unexpected: the answer does not fit the key.
        """
        async with AsyncExitStack() as stack:
            connection = await target.connect()
            stack.push_async_callback(connection.aclose)
            request_target = target.request_target("websocket", query, sid)
            headers = handshake_headers()
            response = await connection.request("GET", request_target, headers)
            if response.status != 101:
                raise Ended(f"a WebSocket was refused: {response.status} {response.body!r}")
            accepted = response.headers.get("sec-websocket-accept")
            wanted = accept_value(headers["Sec-WebSocket-Key"]).decode()
            expect(accepted, wanted, "Sec-WebSocket-Accept")
            stack.pop_all()
            return cls(WireWebSocket(connection, response))

    def begin(self, sid: str) -> None:
        """The connection is the session: there is nothing to remember."""

    async def send(self, *packets: PacketText) -> None:
        """Send packets, each in a frame."""
        for packet in packets:
            await self.wire.send(packet)

    async def receive(self) -> PacketText:
        """Return the next packet.

        Raises:
            Ended: a close frame came, or the connection ended.
        """
        try:
            return await self.wire.receive()
        except WebSocketClosed as closed:
            code = "no code" if closed.code is None else f"code {closed.code}"
            raise Ended(f"a close frame with {code} came") from closed
        except trio.BrokenResourceError as error:
            raise Ended(f"the connection ended without a close frame: {error}") from error

    async def aclose(self) -> None:
        """Drop the connection."""
        await self.wire.aclose()


def _called_with(text: str) -> bytes:
    """Return the payload that a JSONP response calls its function with."""
    start, end = text.find("("), text.rfind(")")
    require(text.startswith("___eio[") and 0 < start < end, f"no JSONP: {shown(text)}")
    try:
        payload = json.loads(text[start + 1 : end])
    except ValueError as error:
        raise Unexpected(f"JSONP calls its function with {shown(text)}: {error}") from error
    if not isinstance(payload, str):
        raise Unexpected(f"JSONP calls its function with a string, not {shown(payload)}")
    return payload.encode("utf-8", "surrogatepass")
