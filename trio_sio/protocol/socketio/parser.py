"""The parser: the interface of encoders and decoders, and which ones the option `parser` means."""

from collections.abc import Callable
from typing import NamedTuple, Protocol, runtime_checkable

from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.foreign import Default, replace_foreign
from trio_sio.protocol.socketio.packet import Packet


class PacketEncoder(Protocol):
    """Encodes packets; one for each server."""

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's messages.

        Args:
            packet: what to encode.
            binary: `False` encodes binary values without binary messages.

        Raises:
            LocalProtocolError: the packet cannot be encoded.
        """


class PacketDecoder(Protocol):
    """Decodes messages; one for each session."""

    def feed(self, message: str | bytes) -> Packet | None:
        """Decode one message; return a packet if that completes one.

        Raises:
            RemoteProtocolError: the message breaks the protocol.
        """


@runtime_checkable
class BoundedDecoder(PacketDecoder, Protocol):
    """A decoder whose incomplete packets the server can limit.

    A decoder without these has to limit its packets itself.
    """

    @property
    def pending(self) -> Packet | None:
        """The packet whose attachments have not all arrived; `None` if there is none."""

    def discard(self) -> None:
        """Drop the pending packet's attachments, and do not return the packet."""


class Parser(Protocol):
    """What `Server(parser=…)` takes: two factories without arguments (JS: option `parser`)."""

    def Encoder(self) -> PacketEncoder:
        """Return an encoder."""

    def Decoder(self) -> PacketDecoder:
        """Return a decoder."""


class Codec(NamedTuple):
    """What a server needs of a parser: one encoder, and a decoder for each session."""

    encoder: PacketEncoder
    make_decoder: Callable[[], PacketDecoder]


class _ReplacingEncoder:
    """An encoder of the application's own, which gets packets without foreign values."""

    def __init__(self, encoder: PacketEncoder, default: Default) -> None:
        self._encoder = encoder
        self._default = default

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        """Return the packet's messages."""
        return self._encoder.encode(replace_foreign(packet, self._default), binary=binary)


def find_codec(
    parser: Parser | str | None, max_attachments: int, default: Default | None = None
) -> Codec:
    """Return the codec that the option `parser` asks for.

    Args:
        parser: `None` for Socket.IO's own, "msgpack", or an object with `Encoder` and `Decoder`.
        max_attachments: option `max_attachments`, for Socket.IO's own.
        default: option `json_default`.

    Raises:
        ImportError: the library msgpack is not installed.
    """
    if parser is None:
        return Codec(Encoder(max_attachments, default), lambda: Decoder(max_attachments))
    if isinstance(parser, str):
        return _msgpack(default)
    encoder = parser.Encoder()
    if default is not None:
        encoder = _ReplacingEncoder(encoder, default)
    return Codec(encoder, parser.Decoder)


def _msgpack(default: Default | None) -> Codec:
    try:
        from trio_sio.protocol.socketio import codec_msgpack
    except ImportError as error:
        raise ImportError(
            "parser=\"msgpack\" needs the library msgpack: pip install 'trio-sio[msgpack]'"
        ) from error
    return Codec(codec_msgpack.Encoder(default), codec_msgpack.Decoder)
