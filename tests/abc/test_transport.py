"""What passes between a transport and its session."""

import pytest

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason


def test_transport_closed_knows_why() -> None:
    closed = TransportClosed(DisconnectReason.PARSE_ERROR, 1002)
    assert (closed.reason, closed.code) == (DisconnectReason.PARSE_ERROR, 1002)
    assert TransportClosed(DisconnectReason.TRANSPORT_CLOSE).code is None
    with pytest.raises(TransportClosed, match="parse error"):
        raise closed
