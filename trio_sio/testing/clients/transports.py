"""The ways that packets take: long polling in its encodings, and WebSocket.

A packet is `str` or `bytes` as on a WebSocket: "4hello", and b"\\x04\\x00" in Engine.IO 3, where a
binary packet has its type in front, or b"\\x00" in Engine.IO 4.
"""

import json
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from typing import Protocol

import trio

from trio_sio.engine.websocket.handshake import accept_value
from trio_sio.protocol.engineio.jsonp_form import encode_jsonp_form
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing.clients.expectation import Ended, Unexpected, expect, require, shown
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

POLLING = ("polling", "polling-base64", "polling-jsonp")
WEBSOCKETS = ("websocket", "websocket-base64", "upgraded")
TRANSPORTS = POLLING + WEBSOCKETS
"""The names of the ways that a client may talk."""

TRANSPORTS_4 = tuple(how for how in TRANSPORTS if how != "polling-jsonp")
"""Those in Engine.IO 4, whose clients have no JSONP."""

QUERIES = {
    "polling": "",
    "polling-base64": "b64=1",
    "polling-jsonp": "j=0&b64=1",  # as JavaScript's client has it
    "websocket": "",
    "websocket-base64": "b64=1",
    "upgraded": "",
}
"""What each of them adds to the query of its requests."""


def transports_of(protocol: int) -> tuple[str, ...]:
    """Return the names of the ways that a client of this revision of Socket.IO may talk."""
    return TRANSPORTS if protocol == 4 else TRANSPORTS_4


class Access(Protocol):
    """The way to a server."""

    @property
    def patience(self) -> float:
        """Seconds to wait for one thing."""

    @property
    def headers(self) -> Mapping[str, str]:
        """Header fields of each request."""

    @property
    def eio(self) -> int:
        """The revision of Engine.IO that is spoken, 3 or 4."""

    def request_target(self, transport: str = "", query: str = "", sid: str = "") -> str:
        """Return such as `/socket.io/?EIO=3&transport=polling&sid=…`."""

    async def connect(self) -> WireConnection:
        """Open a connection.

        Raises:
            OSError: nobody listens there.
            trio.TooSlowError: it took longer than `patience`.
        """


IDLE = 4.0
"""Seconds after which a connection is not used again: servers close those without requests, Node.js
after 5 s, and what is sent then is lost."""


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
        access: the way to the server.
        query: more for the query: "b64=1", "j=0".
        getting: the connection for GET.
        posting: the connection for POST.

    Attributes:
        getting: the connection for GET.
        posting: the connection for POST.
    """

    def __init__(
        self, access: Access, query: str, getting: WireConnection, posting: WireConnection
    ) -> None:
        self.getting = getting
        self.posting = posting
        self._access = access
        self._query = query
        self._sid = ""
        self._jsonp = query.startswith("j=")
        self._base64 = query.startswith("b64=")
        self._received: deque[PacketText] = deque()
        self._posted_at = trio.current_time()

    @classmethod
    async def open(cls, access: Access, query: str = "") -> "Polling":
        """Open the connections.

        Raises:
            OSError: the server cannot be reached.
            trio.TooSlowError: it did not answer in time.
        """
        async with AsyncExitStack() as stack:
            getting = await access.connect()
            stack.push_async_callback(getting.aclose)
            posting = await access.connect()
            stack.pop_all()
            return cls(access, query, getting, posting)

    @property
    def request_target(self) -> str:
        """Where polls and POSTs go."""
        return self._access.request_target("polling", self._query, self._sid)

    @property
    def has_received(self) -> bool:
        """Whether `receive` returns without a poll."""
        return bool(self._received)

    def begin(self, sid: str) -> None:
        """Poll for this session from now on."""
        self._sid = sid

    async def send(self, *packets: PacketText) -> None:
        """Send packets in one POST.

        Raises:
            Ended: it was refused.
            Unexpected: it was answered otherwise than "ok".
        """
        if self._access.eio == 4:
            response = await self.post(text_payload(packets, eio=4), TEXT_PAYLOAD)
        elif self._jsonp:
            body = encode_jsonp_form(text_payload(packets))
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
        headers = {"Content-Type": kind, **self._access.headers}
        with trio.move_on_after(self._access.patience):
            if trio.current_time() - self._posted_at >= IDLE:
                await self.posting.aclose()
                self.posting = await self._access.connect()
            self._posted_at = trio.current_time()
            return await self.posting.request("POST", self.request_target, headers, body)
        raise Unexpected(f"a POST was not answered within {self._access.patience:g} s")

    async def poll(self) -> WireResponse:
        """Poll, and return the response."""
        return await self.getting.request("GET", self.request_target, self._access.headers)

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
            return payload_packets(body, binary=binary, eio=self._access.eio)
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
    async def open(cls, access: Access, query: str = "", sid: str = "") -> "WebSocket":
        """Do the opening handshake.

        Raises:
            Ended: it was refused.
            Unexpected: the answer does not fit the key.
        """
        async with AsyncExitStack() as stack:
            connection = await access.connect()
            stack.push_async_callback(connection.aclose)
            request_target = access.request_target("websocket", query, sid)
            headers = handshake_headers(access.headers)
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
