r"""One packet on its way out: serialised once, turned into bytes once per wire format.

A broadcast gives the same `Encoded` to every recipient. Transports differ only in the form of one
part, so each form is a value:

| format        | one text part                   | one binary part                     |
| ------------- | ------------------------------- | ----------------------------------- |
| `WS3`         | text frame of `4…`              | binary frame of `\x04` + bytes      |
| `WS3_BASE64`  | text frame of `4…`              | text frame of `b4<base64>`          |
| `POLL3_TEXT`  | `<utf-16 length>:4…`            | `<length>:b4<base64>`               |
| `POLL3_BINARY`| `\x00` digits `\xff` + UTF-8    | `\x01` digits `\xff` `\x04` + bytes |
| `WS4`         | as `WS3`                        | binary frame of the bytes           |
| `WS4_BASE64`  | as `WS3`                        | text frame of `b<base64>`           |
| `POLL4`       | `4…`, packets joined by `\x1e`  | `b<base64>`                         |

Text frames are the same bytes for every client, so a broadcast of text is made once for all of
them that have a WebSocket.

A part is an Engine.IO packet: text parts begin with the type digit, binary parts are the bare
bytes of a message. All parts of a binary event are one `Encoded`, so nothing can come between
the header and its attachments.

What waits in an outbox should take no more memory than the outbox counts. So a large packet is
kept in one form for each version that receives it: its parts until there are frames of it, then
those.
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final

from trio_sio.protocol.engineio import codec_v3, codec_v4
from trio_sio.protocol.engineio.packet import utf8
from trio_sio.protocol.websocket.frame import BINARY, TEXT, frame, payloads

LARGE: Final = 4096
"""Bytes from which on a packet is kept in one form; small ones are bounded by their number."""

MESSAGE_DIGIT: Final = "4"


class WireFormat:
    """How one part of an `Encoded` looks on one kind of transport.

    Instances are compared and hashed by identity, which keeps the cache look-up in C.

    Args:
        name: for `repr`.
        piece: makes the bytes of one part.
        parts_of: makes the parts again of all their bytes, `None` if that is not to be done.
        joiner: what stands between two parts.
        of_text: the format that has the same bytes as this one if no part is binary.
        is_4: whether it is of Engine.IO 4.
    """

    __slots__ = ("is_4", "joiner", "name", "of_text", "parts_of", "piece")

    def __init__(
        self,
        name: str,
        piece: Callable[[str | bytes], bytes],
        parts_of: Callable[[bytes], tuple[str | bytes, ...]] | None = None,
        *,
        joiner: bytes = b"",
        of_text: "WireFormat | None" = None,
        is_4: bool = False,
    ) -> None:
        self.name = name
        self.piece = piece
        self.parts_of = parts_of
        self.joiner = joiner
        self.of_text = of_text
        self.is_4 = is_4

    def __repr__(self) -> str:
        return f"<WireFormat {self.name}>"

    def join(self, items: "Iterable[Encoded]") -> bytes:
        """Return the bytes of several items in their order."""
        return self.joiner.join([item.wire(self) for item in items])


def _websocket_piece(part: str | bytes) -> bytes:
    if isinstance(part, str):
        return frame(TEXT, utf8(part))
    return frame(BINARY, b"\x04" + part)


def _base64_piece(part: str | bytes) -> bytes:
    data = utf8(part) if isinstance(part, str) else b"b4" + b2a_base64(part, newline=False)
    return frame(TEXT, data)


def _parts_of(frames: bytes, type_bytes: int = 1) -> tuple[str | bytes, ...]:
    """Return the parts again; binary ones have so many bytes of their type in front."""
    return tuple(
        str(payload, "utf-8") if opcode == TEXT else bytes(payload[type_bytes:])
        for opcode, payload in payloads(frames)
    )


def _websocket_piece_4(part: str | bytes) -> bytes:
    return frame(TEXT, utf8(part)) if isinstance(part, str) else frame(BINARY, part)


def _base64_piece_4(part: str | bytes) -> bytes:
    return frame(TEXT, codec_v4.payload_piece(part))


_PARTS_OF_4 = partial(_parts_of, type_bytes=0)

WS3: Final = WireFormat("ws3", _websocket_piece, _parts_of)
WS3_BASE64: Final = WireFormat("ws3-base64", _base64_piece, of_text=WS3)
POLL3_TEXT: Final = WireFormat("poll3-text", codec_v3.text_piece)
POLL3_BINARY: Final = WireFormat("poll3-binary", codec_v3.binary_piece)
WS4: Final = WireFormat("ws4", _websocket_piece_4, _PARTS_OF_4, of_text=WS3, is_4=True)
WS4_BASE64: Final = WireFormat("ws4-base64", _base64_piece_4, of_text=WS3, is_4=True)
POLL4: Final = WireFormat("poll4", codec_v4.payload_piece, joiner=codec_v4.SEPARATOR, is_4=True)


class Encoded:
    """A packet's parts and, from their first use on, its bytes.

    Attributes:
        parts: Engine.IO packets: `str` with the type digit, `bytes` without the type byte.
        size: bytes of all parts, as the outbox counts them.
        has_binary: whether some part is `bytes`.
        compress: whether the transport may compress it (JS: `compress(bool)`).
        droppable: whether an overflow policy may drop it: events of a broadcast, nothing else.
        on_overflow: what is done when it does not fit into an outbox; `""` for what the server
            does by default.
    """

    __slots__ = (
        "_make_4",
        "_parts",
        "_wire",
        "compress",
        "droppable",
        "has_binary",
        "on_overflow",
        "size",
    )

    def __init__(
        self,
        parts: tuple[str | bytes, ...],
        compress: bool = True,
        droppable: bool = False,
        on_overflow: str = "",
    ) -> None:
        self._parts: tuple[str | bytes, ...] | None = parts
        self.compress = compress
        self.droppable = droppable
        self.on_overflow = on_overflow
        self.has_binary = False
        size = 0
        for part in parts:
            if isinstance(part, str):
                size += len(part) if part.isascii() else len(utf8(part))
            elif isinstance(part, bytes):
                self.has_binary = True
                size += len(part)
            else:  # raised here: it may become bytes much later, in a task that serves everybody
                raise TypeError(f"a message is str or bytes, not {type(part).__name__}")
        self.size = size
        self._wire: dict[WireFormat, bytes] = {}
        self._make_4: Callable[[], Iterable[str | bytes]] | None = None

    @classmethod
    def of(cls, item: "Encoded | str | bytes") -> "Encoded":
        """Return a message as an item; one that is an item already, as it is.

        Raises:
            TypeError: it is neither `str` nor `bytes`.
        """
        return item if isinstance(item, Encoded) else cls.of_messages((item,))

    @classmethod
    def of_messages(
        cls,
        messages: Iterable[str | bytes],
        *,
        compress: bool = True,
        droppable: bool = False,
        on_overflow: str = "",
    ) -> "Encoded":
        """Return the item for Engine.IO messages: each becomes one packet of type 4."""
        parts = tuple([MESSAGE_DIGIT + m if isinstance(m, str) else m for m in messages])
        return cls(parts, compress, droppable, on_overflow)

    @classmethod
    def raw(cls, wire_format: WireFormat, data: bytes) -> "Encoded":
        """Return an item of finished bytes for one format: a WebSocket's control frames."""
        item = cls(())
        item.size = len(data)
        item._wire[wire_format] = data
        return item

    def make_otherwise(self, make: Callable[[], Iterable[str | bytes]]) -> None:
        """Have other binary messages go to clients of Engine.IO 4, of about the same size.

        Args:
            make: returns all messages, texts as they are; called when they are needed.
        """
        self._make_4 = make

    def parts_for(self, wire_format: WireFormat) -> tuple[str | bytes, ...]:
        """Return the parts that go to clients of this format."""
        if self._make_4 is None or not wire_format.is_4:
            return self.parts
        return tuple([MESSAGE_DIGIT + m if isinstance(m, str) else m for m in self._make_4()])

    @property
    def parts(self) -> tuple[str | bytes, ...]:
        """The parts; of a large packet they may have to be made again."""
        if self._parts is not None:
            return self._parts
        return next(form.parts_of(data) for form, data in self._wire.items() if form.parts_of)

    def wire(self, wire_format: WireFormat) -> bytes:
        """Return the bytes for `wire_format`, the same object for every recipient.

        Those of a large packet for polling, or in base64, are made for each.
        """
        if wire_format in self._wire:
            return self._wire[wire_format]
        if wire_format.of_text is not None and not self.has_binary:
            self._wire[wire_format] = same = self.wire(wire_format.of_text)
            return same
        parts = self._parts  # nearly always without a call
        if parts is None or self._make_4 is not None:
            parts = self.parts_for(wire_format)
        piece = wire_format.piece
        made = piece(parts[0]) if len(parts) == 1 else wire_format.joiner.join(map(piece, parts))
        if self.size < LARGE:
            self._wire[wire_format] = made
        elif wire_format.parts_of is not None:
            self._wire[wire_format] = made
            if self._make_4 is None:
                self._parts = None
        return made

    def __repr__(self) -> str:
        return f"<Encoded {self.parts!r}>"
