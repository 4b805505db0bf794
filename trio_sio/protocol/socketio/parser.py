"""Which encoder and decoders the option `parser` means."""

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from trio_sio.protocol.socketio import codec
from trio_sio.protocol.socketio.packet import Packet


class _Encoder(Protocol):
    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]: ...


class _Decoder(Protocol):
    def feed(self, message: str | bytes) -> Packet | None: ...


class Codec(NamedTuple):
    """What a server needs of a parser: one encoder, and a decoder for each session."""

    encoder: _Encoder
    make_decoder: Callable[[], _Decoder]


def find_codec(parser: Any, max_attachments: int) -> Codec:  # noqa: ANN401 - checked in options
    """Return the codec that the option `parser` asks for.

    Args:
        parser: `None` for Socket.IO's own, "msgpack", or an object with `Encoder` and `Decoder`.
        max_attachments: option `max_attachments`, for Socket.IO's own.

    Raises:
        ImportError: the library msgpack is not installed.
    """
    if parser is None:
        return Codec(codec.Encoder(max_attachments), lambda: codec.Decoder(max_attachments))
    if parser == "msgpack":
        return _msgpack()
    return Codec(parser.Encoder(), parser.Decoder)


def _msgpack() -> Codec:
    try:
        from trio_sio.protocol.socketio import codec_msgpack
    except ImportError as error:
        raise ImportError(
            "parser=\"msgpack\" needs the library msgpack: pip install 'trio-sio[msgpack]'"
        ) from error
    return Codec(codec_msgpack.Encoder(), codec_msgpack.Decoder)
