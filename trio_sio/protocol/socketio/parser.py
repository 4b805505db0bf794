"""The parser: the interface of encoders and decoders, and which ones the option `parser` means."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol, runtime_checkable

from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
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
    """What a server needs of a parser: one encoder, and a decoder for each session.

    Attributes:
        encoder: encodes packets for 2.x clients.
        make_decoder: makes a decoder for one.
        encoder_5: encodes packets for clients of Socket.IO 3 and 4.
        make_decoder_5: makes a decoder for one.
        as_5: returns the messages of `encoder_5` for an event or an acknowledgement, of those of
            `encoder`; `None` if they are the same.
    """

    encoder: PacketEncoder
    make_decoder: Callable[[], PacketDecoder]
    encoder_5: PacketEncoder
    make_decoder_5: Callable[[], PacketDecoder]
    as_5: Callable[[Sequence[str | bytes]], Sequence[str | bytes]] | None = None


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
        encoder = Encoder(max_attachments, default)
        make, make_5 = partial(Decoder, max_attachments), partial(Decoder5, max_attachments)
        return Codec(encoder, make, encoder, make_5)
    if isinstance(parser, str):
        return _msgpack(default)
    own = parser.Encoder()
    if default is not None:
        own = _ReplacingEncoder(own, default)
    return Codec(own, parser.Decoder, own, parser.Decoder)


def _msgpack(default: Default | None) -> Codec:
    try:
        from trio_sio.protocol.socketio import codec_msgpack
    except ImportError as error:
        raise ImportError(
            "parser=\"msgpack\" needs the library msgpack: pip install 'trio-sio[msgpack]'"
        ) from error
    encoder, encoder_5 = codec_msgpack.Encoder(default), codec_msgpack.Encoder5(default)
    as_5 = codec_msgpack.as_5
    return Codec(encoder, codec_msgpack.Decoder, encoder_5, codec_msgpack.Decoder5, as_5)
