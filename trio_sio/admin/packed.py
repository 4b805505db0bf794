"""Packets of MessagePack as an operator sees them: as the text that Socket.IO's own parser sends.

Only short ones are decoded, each when it is seen; of others the size is told.
"""

import json
from collections.abc import Callable

from trio_sio.protocol.errors import ProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.server import Server

MAX_DECODED = 4096
"""Bytes of a message that is decoded."""


class PackedReader:
    """Reads the messages of one server.

    Args:
        decode: returns the packet of a message.
        end: the last bytes of what the server sends in the view's own namespace.
    """

    __slots__ = ("_decode", "_end")

    def __init__(self, decode: Callable[[str | bytes], Packet | None], end: bytes) -> None:
        self._decode = decode
        self._end = end

    @classmethod
    def of(cls, io: Server, namespace: str) -> "PackedReader | None":
        """Return the reader for a server; `None` if it speaks by another parser.

        Args:
            io: the server.
            namespace: the view's own.
        """
        if io.options.parser != "msgpack":
            return None
        (message,) = io.router.encoder.encode(Packet(PacketType.EVENT, namespace, ["x"]))
        assert isinstance(message, bytes)
        return cls(io.router.make_decoder().feed, message[message.index(b"nsp") :])

    def read(self, message: str | bytes) -> str | bytes:
        """Return a message as text, or as it is if it is long or no packet."""
        if len(message) > MAX_DECODED:
            return message
        try:
            packet = self._decode(message)
            if packet is not None:
                return _text(packet.type, packet.namespace, packet.id, packet.data)
        except (ProtocolError, RecursionError):
            pass
        return message

    def is_own(self, sent: bytes) -> bool:
        """Whether a long message that was sent is of the view itself: its namespace comes last."""
        return sent.endswith(self._end)


def _text(kind: PacketType, name: str, number: int | None, data: JSON) -> str:
    namespace = "" if name == "/" else f"{name},"
    ack_id = "" if number is None else str(number)
    return (
        f"{int(kind)}{namespace}{ack_id}{'' if data is None else json.dumps(data, default=_told)}"
    )


def _told(value: object) -> str:
    return f"<{len(value):,} bytes>" if isinstance(value, bytes) else str(value)
