"""What each client of a test can do in its namespace, whatever its packets go by.

A subclass says how packets leave, hands over what comes (`_feed`), and tells of the end (`_end`).
"""

import contextlib
import itertools
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, cast, overload

import trio

from trio_sio.declared_event import Arguments, Event
from trio_sio.disconnect import DisconnectReason
from trio_sio.exceptions import ConnectionRefused, Disconnected, Refused
from trio_sio.logs.shown import quoted
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.protocol.socketio.parser import PacketDecoder, PacketEncoder
from trio_sio.testing.clients.expectation import Unexpected
from trio_sio.testing.limit import WAIT, within

CALL_TIMEOUT = 30.0
SHOWN = 3
"""Packets that a client names when what it waits for does not come."""


class BaseClient(ABC):
    """One client in one namespace.

    Args:
        namespace: where it is.
        encoder: encodes its packets.
        decoder: decodes the server's.
        protocol: the revision of Socket.IO that it speaks, 4 or 5.

    Attributes:
        namespace: where the client is.
        protocol: as above.
    """

    def __init__(
        self, namespace: str, encoder: PacketEncoder, decoder: PacketDecoder, protocol: int = 4
    ) -> None:
        self.namespace = namespace
        self.protocol = protocol
        self._encoder = encoder
        self._decoder = decoder
        self._ack_ids = itertools.count()
        self._answers: dict[int, trio.MemorySendChannel[list[Any]]] = {}
        self._put, self._events = trio.open_memory_channel[tuple[Packet, int]](float("inf"))
        self._parts = 0  # of the packet that is incomplete
        self._last: deque[Packet] = deque(maxlen=SHOWN)
        self._joined = trio.Event()
        self._is_in = False
        self._id = ""  # as CONNECT has it, in protocol 5
        self._refused: Packet | None = None

    def __repr__(self) -> str:
        # Not why it ended: when pytest shows a failed test's fixtures, all of them have.
        id_, name = quoted(self.id), quoted(self.namespace)
        return f"<{type(self).__name__} {id_} in {name}, protocol {self.protocol}>"

    # -- what a subclass knows -----------------------------------------------------------------

    @property
    @abstractmethod
    def session_id(self) -> str:
        """The id of the session."""

    @property
    @abstractmethod
    def reason(self) -> DisconnectReason | None:
        """Why the session ended; `None` while it lasts, or if that is not known."""

    @abstractmethod
    async def _send_parts(self, parts: Sequence[str | bytes]) -> None:
        """Send the parts of one packet; raises `Disconnected` if the session has ended."""

    @abstractmethod
    def _took(self, parts: int) -> None:
        """Make room: so many parts of packets no longer wait for `receive`."""

    # -- for tests -----------------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The id of the server's socket; in protocol 5 `""` until it has joined."""
        if self.protocol == 5:
            return self._id
        sid = self.session_id
        return sid if self.namespace == "/" else f"{self.namespace}#{sid}"

    @overload
    async def emit(self, event: Event[Any, *Arguments], *args: *Arguments) -> None: ...
    @overload
    async def emit(self, event: str, *args: object) -> None: ...
    async def emit(self, event: Any, *args: object) -> None:
        """Send an event.

        Raises:
            Disconnected: the session has ended.
        """
        data = cast("JSON", [event, *args])
        await self.send_packet(Packet(PacketType.EVENT, self.namespace, data))

    async def send(self, *args: object) -> None:
        """Send the event "message"."""
        await self.emit("message", *args)

    @overload
    async def call(
        self,
        event: Event[Any, *Arguments],
        *args: *Arguments,
        timeout: float = ...,  # noqa: ASYNC109 - an answer is always bounded
    ) -> list[Any]: ...
    @overload
    async def call(
        self,
        event: str,
        *args: object,
        timeout: float = ...,  # noqa: ASYNC109 - as above
    ) -> list[Any]: ...
    async def call(
        self,
        event: Any,
        *args: object,
        timeout: float = CALL_TIMEOUT,  # noqa: ASYNC109 - as above
    ) -> list[Any]:
        """Send an event and return the arguments of the server's acknowledgement.

        Raises:
            trio.TooSlowError: none came within `timeout` seconds.
            Disconnected: the session ended.
        """
        ack_id = next(self._ack_ids)
        put, get = trio.open_memory_channel[list[Any]](1)
        self._answers[ack_id] = put
        try:
            with within(timeout, f"an acknowledgement of {event!r}", self._came):
                data = cast("JSON", [event, *args])
                await self.send_packet(Packet(PacketType.EVENT, self.namespace, data, ack_id))
                return await get.receive()
        except trio.EndOfChannel:
            raise Disconnected(self.reason) from None
        finally:
            self._answers.pop(ack_id, None)

    async def receive(self, *, timeout: float = WAIT) -> list[Any]:  # noqa: ASYNC109 - as above
        """Return the next event: its name and its arguments.

        Args:
            timeout: seconds to wait, by Trio's clock.

        Raises:
            trio.TooSlowError: none came; says what has come before.
            Refused: the server sent an ERROR packet instead.
            Disconnected: the server ended it, and nothing is left to receive.
        """
        return self._event(await self.receive_packet(timeout=timeout))

    def receive_nowait(self) -> list[Any]:
        """Return the next event if it has come: its name and its arguments.

        What the server has sent at this moment may still be under way: it is there when no task
        can go on, behind `trio.testing.wait_all_tasks_blocked` or, in a state machine, behind each
        rule.

        Raises:
            trio.WouldBlock: none has come.
            Refused, Disconnected: as `receive`.
        """
        try:
            packet, parts = self._events.receive_nowait()
        except trio.EndOfChannel:
            raise Disconnected(self.reason) from None
        self._took(parts)
        return self._event(packet)

    async def receive_packet(self, *, timeout: float = WAIT) -> Packet:  # noqa: ASYNC109
        """Return the next event or error as a packet; one with an `id` waits for `answer`.

        Args:
            timeout: seconds to wait, by Trio's clock.

        Raises:
            trio.TooSlowError, Disconnected: as `receive`.
        """
        try:
            with within(timeout, f"an event in {self.namespace!r}", self._came):
                packet, parts = await self._events.receive()
        except trio.EndOfChannel:
            raise Disconnected(self.reason) from None
        self._took(parts)
        return packet

    async def answer(self, packet: Packet, *args: object) -> None:
        """Acknowledge an event that the server sent with `call`."""
        data = cast("JSON", list(args))
        await self.send_packet(Packet(PacketType.ACK, self.namespace, data, packet.id))

    async def leave(self) -> None:
        """Leave the namespace (JS: `socket.disconnect()`); what comes later is not received."""
        await self.send_packet(Packet(PacketType.DISCONNECT, self.namespace))
        self._put.close()

    async def send_packet(self, packet: Packet) -> None:
        """Send any packet."""
        await self._send_parts(self._encoder.encode(packet))

    async def join(self, query: str = "", auth: Mapping[str, JSON] | None = None) -> None:
        """Join the namespace.

        Args:
            query: what its middleware is to see, in protocol 4.
            auth: what it is to see, in protocol 5.

        Raises:
            ConnectionRefused: middleware said no, or there is no such namespace.
            Disconnected: the session ended.
        """
        if self.protocol == 5:
            data = None if auth is None else dict(auth)
            await self.send_packet(Packet(PacketType.CONNECT, self.namespace, data))
        elif self.namespace != "/":
            name = f"{self.namespace}?{query}" if query else self.namespace
            await self.send_packet(Packet(PacketType.CONNECT, name))
        with within(WAIT, f"an answer to joining {self.namespace!r}", self._came):
            await self._joined.wait()
        if self._refused is not None:
            raise self._refusal(ConnectionRefused, self._refused)
        if not self._is_in:  # it may have joined and been disconnected by now
            raise Disconnected(self.reason)

    # -- for subclasses ------------------------------------------------------------------------

    def _feed(self, part: str | bytes) -> None:
        """Take the next part of a packet, without the type of Engine.IO in front."""
        self._parts += 1
        packet = self._decoder.feed(part)
        if packet is not None:
            self._last.append(packet)
            parts, self._parts = self._parts, 0
            if not self._sort(packet, parts):
                self._took(parts)

    def _end(self) -> None:
        """Nothing comes any more: wake everybody who waits."""
        self._put.close()
        self._joined.set()
        for answer in self._answers.values():
            answer.close()

    def _came(self) -> str:
        """Say which packets came last, for the error when another one does not come."""
        if not self._last:
            return "nothing came"
        return f"what came last: {', '.join(repr(one)[:200] for one in self._last)}"

    def _sort(self, packet: Packet, parts: int) -> bool:
        """Put a packet where it belongs; return whether it waits for `receive`."""
        if packet.namespace != self.namespace:
            return False
        if packet.type is PacketType.CONNECT:
            if self.protocol == 5:
                self._id = _id_of(packet)
            self._is_in = True
            self._joined.set()
        elif packet.type is PacketType.ERROR and not self._joined.is_set():
            self._refused = packet
            self._joined.set()
        elif packet.type is PacketType.DISCONNECT:
            self._put.close()
            self._joined.set()  # it may be refused before it has joined
        elif packet.type in (PacketType.ACK, PacketType.BINARY_ACK):
            if packet.id in self._answers:
                self._answers[packet.id].send_nowait(packet.args)
        else:
            # The JavaScript client ignores what follows a DISCONNECT, too.
            with contextlib.suppress(trio.ClosedResourceError):
                self._put.send_nowait((packet, parts))
                return True
        return False

    def _event(self, packet: Packet) -> list[Any]:
        """Return an event's name and arguments; raises what an ERROR packet says."""
        if packet.type is PacketType.ERROR:
            raise self._refusal(Refused, packet)
        return [packet.event, *packet.args]

    def _refusal(self, kind: type[Refused], packet: Packet) -> Refused:
        data = packet.data
        if self.protocol == 4:
            return kind(data) if isinstance(data, str) else kind(str(data), data)
        if not isinstance(data, dict) or not isinstance(data.get("message"), str):
            raise Unexpected(f"a refusal is an object with a message, not {packet!r}")
        return kind(str(data["message"]), data.get("data"))


def _id_of(packet: Packet) -> str:
    """Return the id that a CONNECT of protocol 5 has; JavaScript's client insists on it."""
    sid = packet.data.get("sid") if isinstance(packet.data, dict) else None
    if not isinstance(sid, str) or not sid:
        raise Unexpected(f"CONNECT has no sid: {packet!r}")
    return sid
