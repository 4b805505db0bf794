"""Any message is decoded as MessagePack of Socket.IO 5, or raises RemoteProtocolError, never else.

What was decoded is what a client may send. It can be encoded as one binary message, and decodes to
the same again; numbers that are not finite, and dates, may look different then.
"""

import re
from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.codec_msgpack import Decoder5, Encoder5, as_5
from trio_sio.protocol.socketio.packet import Packet, PacketType

NAME = "msgpack_5"


def fuzz(data: bytes) -> Hashable:
    """Decode `data` as a binary message, and as a text, which is none."""
    try:
        Decoder5().feed(data.decode("utf-8", "replace"))
    except RemoteProtocolError:
        return _decode(data)
    raise AssertionError("a text was taken for a packet")


def _decode(message: bytes) -> Hashable:
    try:
        packet = Decoder5().feed(message)
    except RemoteProtocolError as error:
        return (error.args[0], re.sub("[0-9]+|'.*", "…", error.hint)[:60])
    assert isinstance(packet, Packet)
    assert packet.type <= PacketType.ACK
    try:
        (again,) = Encoder5().encode(packet)
    except LocalProtocolError as error:  # deeper than what is sent may be, or no word for it
        return str(error)[:40]
    assert as_5([again]) == [again]
    decoded = Decoder5().feed(again)
    assert decoded is not None
    assert (decoded.type, decoded.namespace) == (packet.type, packet.namespace)
    assert decoded.id in (packet.id, None)  # which a DISCONNECT leaves out
    kinds = len(packet.data) if isinstance(packet.data, list) else type(packet.data).__name__
    return (packet.type, packet.id is None, kinds)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
