"""Packets in and out, while somebody watches them.

Each session has a tap only while an operator watches packets. What a tap does is bounded: a feed
takes so many packets between two looks at it, and only counts the others, so a flood of packets
costs little more with an operator than without. The packets of the view itself are not shown: they
would be about themselves.
"""

import re
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from trio_sio.admin.packed import PackedReader
from trio_sio.logs.shown import printable, short_id, without_pid
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.socketio.packet import PacketType

KEPT = 200
"""Packets that a feed keeps between two looks at it."""

SHOWN = 200
"""Characters of a packet that are shown."""

_CUT = 600
"""Characters of a packet that are kept until it is shown: its namespace comes first."""

_HEAD = re.compile(r"([0-6])(?:\d+-)?(?:(/[^,]*)(?:,|\Z))?")
_QUERY_VALUE = re.compile(r"=[^&]*")
_QUERY_INSIDE = re.compile(r'([?&][^=&"\s]*=)[^&"\s]*')
_SID = re.compile(r'"sid":"([^"]*)"')


class Seen(NamedTuple):
    """One packet, as it came.

    Attributes:
        at: when (Unix time in seconds).
        number: of the session.
        transport: by which transport.
        is_incoming: whether it came from the client.
        kind: its Engine.IO type.
        data: the beginning of a text; the size of a binary one in bytes.
        size: characters, or bytes.
    """

    at: float
    number: int
    transport: str
    is_incoming: bool
    kind: EnginePacketType
    data: str | None
    size: int


class PacketFeed:
    """The packets that one operator watches.

    Attributes:
        session: the number of the session whose packets are wanted; `None` for all.
        missed: packets that were only counted since the last `take`.
    """

    def __init__(self) -> None:
        self.session: int | None = None
        self.missed = 0
        self._kept: list[Seen] = []

    @property
    def is_full(self) -> bool:
        """Whether packets are only counted at present."""
        return len(self._kept) >= KEPT

    def wants(self, number: int) -> bool:
        """Whether the packets of this session are wanted."""
        return self.session is None or self.session == number

    def watch(self, session: int | None) -> None:
        """Take the packets of one session from now on, or of all."""
        self.session = session

    def miss(self, count: int) -> None:
        """Count packets that are not kept."""
        self.missed += count

    def put(self, seen: Seen) -> None:
        """Keep a packet, or count it."""
        if self.is_full:
            self.missed += 1
        else:
            self._kept.append(seen)

    def take(self) -> tuple[list[Seen], int]:
        """Return what has come since the last time, and how many more there were."""
        kept, missed = self._kept, self.missed
        self._kept, self.missed = [], 0
        return kept, missed


class SessionTap:
    """Takes the packets of one session to all feeds that want them.

    Args:
        number: of the session.
        namespace: whose packets are not shown.
        feeds: those that are open; the list changes with them.
        reader: makes text of packets, if they are MessagePack.
    """

    __slots__ = ("_feeds", "_number", "_own", "_reader")

    def __init__(
        self,
        number: int,
        namespace: str,
        feeds: Sequence[PacketFeed],
        reader: PackedReader | None = None,
    ) -> None:
        self._number = number
        self._reader = reader
        self._own = namespace
        self._feeds = feeds

    def incoming(self, transport: str, packet: EnginePacket) -> None:
        """A packet has come."""
        feeds = self._open(1)
        if feeds:
            self._show(feeds, transport, True, packet.type, packet.data)

    def outgoing(self, transport: str, items: Iterable[Encoded]) -> None:
        """Items are handed to the transport."""
        for item in items:
            feeds = self._open(1)
            if not feeds:
                continue
            for part in item.parts:
                if isinstance(part, str):
                    kind, data = EnginePacketType(int(part[0])), part[1:]
                    self._show(feeds, transport, False, kind, data)
                else:
                    self._show(feeds, transport, False, EnginePacketType.MESSAGE, part)

    def _open(self, count: int) -> list[PacketFeed]:
        """Return the feeds that have room; the others that want these packets count them."""
        found = []
        for feed in self._feeds:
            if not feed.wants(self._number):
                continue
            if feed.is_full:
                feed.miss(count)
            else:
                found.append(feed)
        return found

    def _show(
        self,
        feeds: Sequence[PacketFeed],
        transport: str,
        is_incoming: bool,
        kind: EnginePacketType,
        data: str | bytes,
    ) -> None:
        at, number, size = time.time(), self._number, len(data)
        if self._reader is not None and kind is EnginePacketType.MESSAGE:
            data = self._reader.read(data)
            if isinstance(data, bytes) and not is_incoming and self._reader.is_own(data):
                return
        text = data[:_CUT] if isinstance(data, str) else None
        if text is not None and kind is EnginePacketType.MESSAGE and self._is_own(text):
            return
        seen = Seen(at, number, transport, is_incoming, kind, text, size)
        for feed in feeds:
            feed.put(seen)

    def _is_own(self, text: str) -> bool:
        head = _HEAD.match(text)
        if head is None or head[2] is None:
            return False
        return head[2].partition("?")[0] == self._own


def row(seen: Seen) -> dict[str, object]:
    """Return a packet as JSON: with its Socket.IO type, without what may be secret."""
    kind, text = seen.kind.name, ""
    if seen.data is None:
        text = f"{seen.size:,} bytes"
    elif seen.kind is EnginePacketType.MESSAGE:
        kind, text = _message(seen.data)
    elif seen.kind is EnginePacketType.OPEN:
        text = _SID.sub(lambda found: f'"sid":"{short_id(found[1])}"', seen.data)
    else:
        text = seen.data
    return {
        "at": seen.at,
        "number": seen.number,
        "transport": seen.transport,
        "in": seen.is_incoming,
        "type": seen.kind.name,
        "kind": kind,
        "text": printable(text, SHOWN),
        "size": seen.size,
    }


def _message(text: str) -> tuple[str, str]:
    """Return the type of a Socket.IO packet, and what it says: the query of a CONNECT is cut."""
    head = _HEAD.match(text)
    if head is None:  # of a parser that only the application knows
        return "MESSAGE", _QUERY_INSIDE.sub(r"\1…", text)
    kind = PacketType(int(head[1]))
    if kind is PacketType.CONNECT:
        text = without_pid(text)
    if head[2] is None:
        return kind.name, text[1:]
    name, mark, query = head[2].partition("?")
    namespace = name + mark + _QUERY_VALUE.sub("=…", query)
    rest = text[head.end() :]
    return kind.name, f"{namespace} {rest}".strip()
