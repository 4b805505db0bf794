"""Any messages of a client of Socket.IO 3 or 4 make packets or raise RemoteProtocolError.

The decoder takes nothing that the one for clients of 2.x refuses, but for the object of a CONNECT.
What clients may not send does not come out: a refusal, or a CONNECT with anything but an object.
A packet can be encoded, or raises LocalProtocolError; what was encoded is decoded to the same.
"""

import re
from collections.abc import Hashable

from fuzz import harness
from fuzz.fuzz_socketio_decoder import messages
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet, PacketType

NAME = "decoder_5"


def fuzz(data: bytes) -> Hashable:
    """Feed a decoder; the outcome is what came of each message."""
    decoder, lenient = Decoder5(), Decoder()
    outcomes: list[Hashable] = []
    for message in messages(data):
        try:
            packet = decoder.feed(message)
        except RemoteProtocolError as error:
            outcomes.append((error.args[0], re.sub("[0-9]+|'.*|with .*", "…", error.hint)))
            break
        other = lenient.feed(message)
        if packet is None:
            assert other is None
            outcomes.append(None)
            continue
        _check(packet)
        assert other is not None
        if packet.type is not PacketType.CONNECT:
            assert repr(other) == repr(packet)
        kinds = frozenset(type(value).__name__ for value in packet.args)
        said = type(packet.data).__name__
        outcomes.append((packet.type, packet.namespace == "/", packet.id is None, said, kinds))
    return tuple(outcomes[:4])


def _check(packet: Packet) -> None:
    assert packet.type is not PacketType.ERROR
    if packet.type is PacketType.CONNECT:
        assert packet.data is None or isinstance(packet.data, dict)
        assert packet.id is None
    if packet.event in ("inf", "-inf"):
        return  # a number beyond all others, such as 1e999; JSON has no word for it
    try:
        sent = encode(packet)
    except LocalProtocolError:
        return
    decoder = Decoder5()
    *heads, again = [decoder.feed(message) for message in sent]
    assert not any(heads)
    assert again is not None
    assert encode(again) == sent


if __name__ == "__main__":
    harness.main(fuzz, NAME)
