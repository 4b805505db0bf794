"""A property test of another parser: python-socketio 4 decodes whatever may be sent."""

from hypothesis import given, settings
from socketio import packet as theirs

from trio_sio.protocol.socketio.encoder import encode
from trio_sio.testing import strategies as sio


def has_no_query(packet):
    """Theirs drops what is behind a question mark: a query, as clients send it with CONNECT."""
    return "?" not in packet.namespace


def has_no_placeholder(packet):
    """Theirs takes `{"_placeholder": 1, "num": 0}` for bytes; JavaScript's wants `true`."""
    return "_placeholder" not in repr(packet.data)


@settings(deadline=None)
@given(sio.socketio_packets().filter(has_no_query).filter(has_no_placeholder))
def test_what_is_encoded_is_decoded(packet):
    text, *attachments = encode(packet)
    decoded = theirs.Packet(encoded_packet=text)
    for attachment in attachments:
        decoded.add_attachment(attachment)
    assert (decoded.packet_type, decoded.namespace or "/") == (packet.type, packet.namespace)
    assert (decoded.id, decoded.data) == (packet.id, packet.data)
