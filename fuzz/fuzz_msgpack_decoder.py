"""Any message is decoded as MessagePack or raises RemoteProtocolError, never anything else.

What was decoded can be encoded, and decodes to the same again; numbers that are not finite, and
dates, may look different then.
"""

import re
from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.codec_msgpack import Decoder, Encoder
from trio_sio.protocol.socketio.packet import Packet

NAME = "msgpack_decoder"


def fuzz(data: bytes) -> Hashable:
    """Decode `data` as a binary message, and as a text."""
    return tuple(_decode(message) for message in (data, data.decode("utf-8", "replace")))


def _decode(message: str | bytes) -> Hashable:
    try:
        packet = Decoder().feed(message)
    except RemoteProtocolError as error:
        return (error.args[0], re.sub("[0-9]+|'.*", "…", error.hint)[:60])
    if packet is None:
        return None
    assert isinstance(packet, Packet)
    try:
        (again,) = Encoder().encode(packet)
    except LocalProtocolError as error:  # deeper than what is sent may be, or no word for it
        return str(error)[:40]
    decoded = Decoder().feed(again)
    assert decoded is not None
    assert decoded.namespace == packet.namespace
    assert decoded.id in (packet.id, None)  # which the packets of the protocol's own leave out
    kinds = len(packet.data) if isinstance(packet.data, list) else type(packet.data).__name__
    return (packet.type, packet.id is None, kinds)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
