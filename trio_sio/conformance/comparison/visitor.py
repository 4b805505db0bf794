"""One client of a script: sends anything, and remembers all that comes."""

from collections.abc import Callable, Iterable, Iterator, Mapping

import trio

from trio_sio.conformance.comparison.heard import ID, Heard, socketio_head, sort
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing.wire import BINARY_PAYLOAD, PacketText, payload_packets
from trio_sio.testing.wire_http import WireConnection, WireResponse

MARK = 700_000_000
"""Ids of acknowledgements from here on are the player's own."""

NOWHERE = "/trio_sio mark"
"""A namespace that no server has."""

CLOSED = "CLOSE"
"""How a session of long polling ends: with this packet, or with a poll of a session unknown."""

BROKEN = (trio.BrokenResourceError, trio.ClosedResourceError)


class Visitor:
    """A session with the server.

    Args:
        name: stands for its session id in what is shown.
        protocol: the revision of Socket.IO that it speaks.

    Attributes:
        name: the same.
        protocol: the same.
        joined: namespaces in which an acknowledgement can be had.
        ended: how the session ended, `None` while it lasts.
        asked: the id of the acknowledgement that the server asked for last.
    """

    def __init__(self, name: str, protocol: int = 4) -> None:
        self.name = name
        self.protocol = protocol
        self.joined: set[str] = set()
        self.ended: str | None = None
        self.asked = "0"
        self._packets: list[PacketText] = []
        self._marks: set[tuple[str, str]] = set()
        self._pongs = 0
        self._refusals = 0
        self._ids: set[str] = set()
        self._left: set[str] = set()  # since it has asked for them, answered or not
        self._told_end = False
        self._last_mark = MARK
        self._changed = trio.Event()

    # -- out -----------------------------------------------------------------------------------

    def said(self, packets: Iterable[PacketText]) -> None:
        """Notice what is sent: whoever leaves a namespace gets no acknowledgement there."""
        for packet in packets:
            head = socketio_head(packet, self.protocol)
            if head is not None and head.kind == "0":
                self._left.discard(head.namespace)
            if head is not None and head.kind == "1":
                self._left.add(head.namespace)
                self.joined.discard(head.namespace)

    def marks(self) -> Iterator[list[PacketText]]:
        """Yield packets whose answers show that the server has done all that was asked before.

        Each is to be sent when those before are answered. In protocol 5 a client cannot ping, and
        what it sends to a namespace from which it is just disconnected may end its session. So it
        asks twice for a namespace that is not there: what is answered between has been done then.
        """
        if self.protocol == 5:
            for _ in range(2):
                self._refusals += 1
                yield [f"40{NOWHERE},"]
        elif not self.joined:
            self._pongs += 1
            yield ["2"]
        if self.joined:
            yield [self._mark_of(namespace) for namespace in sorted(self.joined)]

    def _mark_of(self, namespace: str) -> PacketText:
        self._last_mark += 1
        self._marks.add((namespace, str(self._last_mark)))
        name = "" if namespace == "/" else f"{namespace},"
        return f'42{name}{self._last_mark}["ack"]'

    async def answered(self) -> None:
        """Wait until all marks are answered, or the session has ended."""
        while self.ended is None and (self._marks or self._pongs or self._refusals):
            await self._changed.wait()

    # -- in ------------------------------------------------------------------------------------

    def take(self, packet: PacketText) -> None:
        """Remember a packet that has come."""
        if packet == "6":
            return
        head = socketio_head(packet, self.protocol)
        if packet == "3" and self._pongs:
            self._pongs -= 1
        elif head is not None and head.namespace == NOWHERE and self._refusals:
            self._refusals -= 1
        elif (
            head is not None
            and head.kind == "3"
            and (mark := (head.namespace, head.ack_id)) in (self._marks)
        ):
            self._marks.discard(mark)
        else:
            self._packets.append(self._with_new_id(packet))
            if head is not None and head.kind == "0" and head.namespace not in self._left:
                self.joined.add(head.namespace)
            if head is not None and head.kind in "25" and head.ack_id:
                self.asked = head.ack_id
            if head is not None and head.kind == "1":
                self.joined.discard(head.namespace)
                self._marks = {mark for mark in self._marks if mark[0] != head.namespace}
        self._tell()

    def _with_new_id(self, packet: PacketText) -> PacketText:
        """Return CONNECT with a mark in place of an id that one of its sockets had before."""
        found = ID.match(packet) if isinstance(packet, str) else None
        if found is None:
            return packet
        is_new = found[2] not in self._ids
        self._ids.add(found[2])
        return packet if is_new else ID.sub(r'\1<id of another>"', str(packet))

    def end(self, how: str) -> None:
        """Remember that the session has ended."""
        if self.ended is None:
            self.ended = how
            self.joined.clear()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    def take_heard(self, names: Mapping[str, str]) -> Heard:
        """Return what has come since the last time."""
        heard = sort(self._packets, names, self.protocol)
        self._packets.clear()
        if self.ended is not None and not self._told_end:
            self._told_end = True
            heard["end"] = [self.ended]
        return heard


def _refused(response: WireResponse) -> str:
    """Say how a poll was refused; whether CLOSE or this comes first, is by chance."""
    if response.text.startswith('{"code":1,'):
        return CLOSED
    return f"a poll was answered {response.status} {response.text}"


class Polls:
    """Holds a poll, again and again, until the session ends or moves.

    Args:
        visitor: whose session it is.
        connection: the connection for GET.
        target: what is asked for.
        body_of: gets the payload out of a response's body.

    Attributes:
        is_moving: whether polls stop when the one that is held is answered.
        stopped: set when there is none any more.
    """

    def __init__(
        self,
        visitor: Visitor,
        connection: WireConnection,
        target: str,
        body_of: Callable[[WireResponse], bytes],
    ) -> None:
        self.is_moving = False
        self.stopped = trio.Event()
        self._visitor = visitor
        self._connection = connection
        self._target = target
        self._body_of = body_of

    def move(self) -> None:
        """Send no more polls."""
        self.is_moving = True

    async def run(self) -> None:
        """Poll."""
        try:
            while not self.is_moving and self._visitor.ended is None:
                response = await self._connection.request("GET", self._target)
                self.take(response)
        except BROKEN:
            self._visitor.end("a poll was not answered: the connection ended")
        finally:
            self.stopped.set()

    def take(self, response: WireResponse) -> None:
        """Take the packets of a response."""
        if response.status != 200:
            self._visitor.end(_refused(response))
            return
        binary = response.headers.get("content-type") == BINARY_PAYLOAD
        try:
            eio = self._visitor.protocol - 1
            packets = list(payload_packets(self._body_of(response), binary=binary, eio=eio))
        except (RemoteProtocolError, ValueError):
            self._visitor.end(f"a poll was answered {response.body[:100]!r}, which is no payload")
            return
        for packet in packets:
            if packet == "1" and self.is_moving:
                self._visitor.take("1 by polling")
            elif packet == "1":
                self._visitor.end(CLOSED)
            else:
                self._visitor.take(packet)
