"""RESP 3, Redis's protocol: commands to bytes, and bytes to replies.

https://redis.io/docs/latest/develop/reference/protocol-spec/

Messages of Pub/Sub are nearly all that is ever read, each a push of three or four strings, so these
have a way of their own. Everything else is read from its beginning again when more of it comes;
only a long string says how much that has to be.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple, TypeAlias

_END = b"\r\n"
_MESSAGE = b">3\r\n$7\r\nmessage\r\n"
_PATTERN_MESSAGE = b">4\r\n$8\r\npmessage\r\n"
_STRING = ord("$")

MAX_DEPTH = 8
"""Collections in collections; no reply to our commands has more than three."""


class InvalidReply(Exception):
    """What comes is not RESP 3, or is too large."""


@dataclass(frozen=True, slots=True)
class ErrorReply:
    """Redis refuses a command.

    Attributes:
        code: its first word, such as "NOPERM".
        text: all of it.
    """

    code: str
    text: str


class Push(list["Reply"]):
    """What comes without having been asked for, such as confirmations of subscriptions."""


class Message(NamedTuple):
    """A message of Pub/Sub: the push `message` or `pmessage`.

    Attributes:
        pattern: by which subscription it comes; `b""` by that to the channel itself.
        channel: where it was published.
        payload: what was published.
    """

    pattern: bytes
    channel: bytes
    payload: bytes


Reply: TypeAlias = (
    bytes
    | int
    | float
    | bool
    | ErrorReply
    | list["Reply"]
    | dict["Reply", "Reply"]
    | tuple["Reply", ...]
    | Push
    | Message
    | None
)
"""Strings are bytes; a set is a tuple."""


class NotYet:
    """In place of a reply that has not come completely."""


NOT_YET: Final = NotYet()


class _Incomplete(Exception):
    def __init__(self, missing: int) -> None:
        self.missing = missing


def pack(*words: bytes) -> bytes:
    """Return a command as it is sent."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def pack_publish(channel: bytes, payload: bytes) -> bytes:
    """Return `pack(b"PUBLISH", channel, payload)`, in one step."""
    return b"*3\r\n$7\r\nPUBLISH\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n" % (
        len(channel),
        channel,
        len(payload),
        payload,
    )


class Reader:
    """Cuts a stream of bytes into replies.

    Args:
        max_bytes: how large one reply may be.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._data = b""
        self._at = 0
        self._chunks: list[bytes] = []
        self._missing = 0

    def feed(self, data: bytes) -> None:
        """Take what has been received."""
        self._chunks.append(data)
        self._missing -= len(data)

    def take(self) -> Reply | NotYet:
        """Return the next reply; `NOT_YET` if it has not come completely.

        Raises:
            InvalidReply: it is not RESP 3, or larger than `max_bytes`; there is no way on.
        """
        if self._chunks:
            if self._missing > 0:
                return NOT_YET
            self._join()
        elif self._at == len(self._data):
            return NOT_YET
        data, at = self._data, self._at
        try:
            if data.startswith(_MESSAGE, at):
                (channel, payload), self._at = _strings(data, at + len(_MESSAGE), 2)
                return Message(b"", channel, payload)
            if data.startswith(_PATTERN_MESSAGE, at):
                strings, self._at = _strings(data, at + len(_PATTERN_MESSAGE), 3)
                return Message(*strings)
            reply, self._at = _value(data, at, 0)
        except _Incomplete as incomplete:
            self._wait_for(incomplete.missing)
            return NOT_YET
        except (ValueError, LookupError, TypeError):
            raise InvalidReply("what Redis sends is not RESP 3") from None
        return reply

    def _join(self) -> None:
        """Put what has come behind what is left."""
        if self._at < len(self._data):
            self._chunks.insert(0, self._data[self._at :])
        self._data = self._chunks[0] if len(self._chunks) == 1 else b"".join(self._chunks)
        self._chunks.clear()
        self._at = 0

    def _wait_for(self, missing: int) -> None:
        if len(self._data) - self._at + missing > self._max_bytes:
            raise InvalidReply(f"Redis sends a reply of more than {self._max_bytes:,} bytes")
        self._missing = missing


def _line(data: bytes, at: int) -> tuple[bytes, int]:
    end = data.find(_END, at)
    if end < 0:
        raise _Incomplete(1)
    return data[at:end], end + 2


def _string(data: bytes, at: int, size: int) -> tuple[bytes, int]:
    end = at + size + 2
    if end > len(data):
        raise _Incomplete(end - len(data))
    if data[end - 2 : end] != _END:
        raise ValueError("a string goes on behind its end")
    return data[at : end - 2], end


def _strings(data: bytes, at: int, count: int) -> tuple[list[bytes], int]:
    """Read strings, which is `_value` for each of them without the calls."""
    strings = []
    for _ in range(count):
        end = data.find(_END, at)
        if end < 0:
            raise _Incomplete(1)
        if data[at] != _STRING:
            raise ValueError("a message that does not consist of strings")
        size = int(data[at + 1 : end])
        at = end + 4 + size
        if at > len(data):
            raise _Incomplete(at - len(data))
        if size < 0:
            raise ValueError("a message without a string")
        strings.append(data[end + 2 : at - 2])
    return strings, at


def _value(data: bytes, at: int, depth: int) -> tuple[Reply, int]:
    line, at = _line(data, at)
    kind, rest = line[:1], line[1:]
    match kind:
        case b"+":
            return rest, at
        case b":" | b"(":
            return int(rest), at
        case b",":
            return float(rest), at
        case b"#":
            return {b"t": True, b"f": False}[rest], at
        case b"_":
            return None, at
        case b"-":
            return _error(rest), at
        case b"$" | b"=" | b"!":
            return _sized(kind, data, at, int(rest))
        case b"*" | b">" | b"~" | b"%":
            return _collection(kind, data, at, int(rest), depth)
    raise ValueError("no type of RESP 3")


def _sized(kind: bytes, data: bytes, at: int, size: int) -> tuple[Reply, int]:
    if size < 0:
        return None, at
    text, at = _string(data, at, size)
    match kind:
        case b"=":
            return text[4:], at  # behind "txt:"
        case b"!":
            return _error(text), at
    return text, at


def _collection(kind: bytes, data: bytes, at: int, size: int, depth: int) -> tuple[Reply, int]:
    if size < 0:
        return None, at
    if depth >= MAX_DEPTH:
        raise ValueError("too many collections in collections")
    items: list[Reply] = []
    for _ in range(2 * size if kind == b"%" else size):
        item, at = _value(data, at, depth + 1)
        items.append(item)
    match kind:
        case b">":
            return Push(items), at
        case b"~":
            return tuple(items), at
        case b"%":
            return dict(zip(items[::2], items[1::2], strict=True)), at
    return items, at


def _error(text: bytes) -> ErrorReply:
    words = text.decode("utf-8", "replace")
    return ErrorReply(words.partition(" ")[0], words)
