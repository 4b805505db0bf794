"""Which revisions a client of tests speaks, and by which encoder and decoder."""

from collections.abc import Callable
from typing import NamedTuple

from trio_sio.exceptions import ConnectionRefused
from trio_sio.protocol.engineio.version import VERSIONS, EngineVersion
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.protocol.socketio.parser import PacketDecoder, PacketEncoder
from trio_sio.server import Server

PROTOCOLS = (4, 5)
"""The revisions of Socket.IO: 4 is that of clients 1.x and 2.x, 5 that of 3.x and 4.x."""


class Dialect(NamedTuple):
    """What one client speaks.

    Attributes:
        version: the revision of Engine.IO.
        encoder: encodes its packets.
        make_decoder: makes a decoder for the server's.
    """

    version: EngineVersion
    encoder: PacketEncoder
    make_decoder: Callable[[], PacketDecoder]


def version_of(protocol: int) -> EngineVersion:
    """Return the revision of Engine.IO that goes with one of Socket.IO.

    Raises:
        ValueError: there is no such revision.
    """
    if protocol not in PROTOCOLS:
        raise ValueError(f"'protocol' must be one of {PROTOCOLS}, not {protocol!r}")
    return VERSIONS[protocol - 1]


def dialect_of(io: Server, protocol: int) -> Dialect:
    """Return how a client of this revision of Socket.IO speaks to a server.

    Raises:
        ValueError: there is no such revision.
    """
    version, codec = version_of(protocol), io.router.namespaces.codec
    if protocol == 4:
        return Dialect(version, codec.encoder, codec.make_decoder)
    make = codec.make_decoder_5
    theirs = make()
    if isinstance(theirs, Decoder5):
        return Dialect(version, codec.encoder_5, Decoder)
    if codec.encoder_5 is codec.encoder:  # a parser of the application's own, which serves both
        return Dialect(version, codec.encoder, make)
    return Dialect(version, codec.encoder_5, lambda: _WithRefusals(make()))


def check_protocol(io: Server, protocol: int) -> None:
    """Refuse a client as the server refuses its handshake.

    Raises:
        ConnectionRefused: the server does not speak this revision, by its option `protocols`.
        ValueError: there is no such revision.
    """
    if version_of(protocol).number not in io.engine.options.protocols:
        raise ConnectionRefused("Unsupported protocol version")


def check_auth(protocol: int, auth: object) -> None:
    """Check that a client that says `auth` can.

    Raises:
        ValueError: it cannot.
    """
    if auth is not None and protocol == 4:
        raise ValueError("in protocol 4 a client says its 'query'; 'auth' needs protocol=5")


class _WithRefusals:
    """A decoder of what clients send, which takes the one packet that only servers send, too."""

    def __init__(self, decoder: PacketDecoder) -> None:
        self._decoder = decoder

    def feed(self, message: str | bytes) -> Packet | None:
        """Decode one message; as `PacketDecoder.feed`."""
        from trio_sio.protocol.socketio.notepack import unpack

        try:
            return self._decoder.feed(message)
        except RemoteProtocolError:
            fields = unpack(message) if isinstance(message, bytes) else None
            if not isinstance(fields, dict) or fields.get("type") != PacketType.ERROR:
                raise
            return Packet(PacketType.ERROR, str(fields.get("nsp")), fields.get("data"))
