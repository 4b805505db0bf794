"""Any messages make packets or raise RemoteProtocolError, never anything else.

A packet can be encoded, or raises LocalProtocolError; what was encoded is decoded, and encoded
again it is the same.
"""

import re
from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet

NAME = "socketio_decoder"


def fuzz(data: bytes) -> Hashable:
    """Feed a decoder; the outcome is what came of each message."""
    decoder = Decoder()
    outcomes: list[Hashable] = []
    for message in messages(data):
        try:
            packet = decoder.feed(message)
        except RemoteProtocolError as error:
            outcomes.append((error.args[0], re.sub("[0-9]+|'.*|with .*", "…", error.hint)))
            break
        if packet is None:
            outcomes.append(None)
        else:
            _check(packet)
            kinds = frozenset(type(value).__name__ for value in packet.args)
            outcomes.append((packet.type, packet.namespace == "/", packet.id is None, kinds))
    return tuple(outcomes[:4])


def messages(data: bytes) -> list[str | bytes]:
    """Cut `data` at each fe, which UTF-8 does not know; a message behind an ff is binary."""
    return [
        piece[1:] if piece[:1] == b"\xff" else piece.decode("utf-8", "replace")
        for piece in data.split(b"\xfe")
    ]


def _check(packet: Packet) -> None:
    assert packet.namespace.startswith("/")
    assert "," not in packet.namespace
    assert packet.id is None or packet.id >= 0
    assert isinstance(packet.event, str)
    assert isinstance(packet.args, list)
    if packet.event in ("inf", "-inf"):
        return  # a number beyond all others, such as 1e999; JSON has no word for it, so no echo
    try:
        sent = encode(packet)
    except LocalProtocolError:
        return
    decoder = Decoder()
    *heads, again = [decoder.feed(message) for message in sent]
    assert not any(heads)
    assert again is not None
    assert (again.namespace, again.id, again.event) == (packet.namespace, packet.id, packet.event)
    assert encode(again) == sent


if __name__ == "__main__":
    harness.main(fuzz, NAME)
