"""Packets as a body, a body as packets: each as the client has asked for it."""

import pytest

from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.exceptions import RemoteProtocolError
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

MESSAGE = EnginePacketType.MESSAGE
XHR, BASE64, JSONP = PayloadFormat(False), PayloadFormat(True), PayloadFormat(True, "7")


@pytest.mark.parametrize(
    ("form", "parts", "body", "binary"),
    [
        (XHR, ("4a",), b"2:4a", False),
        (XHR, ("4a", b"\1"), b"\0\2\xff4a\1\2\xff\4\1", True),
        (BASE64, ("4a", b"\1"), b"2:4a6:b4AQ==", False),
        (JSONP, ("4a", b"\1"), b'___eio[7]("2:4a6:b4AQ==");', False),
    ],
)
def test_the_body_of_a_response(
    form: PayloadFormat, parts: tuple[str | bytes, ...], body: bytes, binary: bool
) -> None:
    items = [Encoded((part,)) for part in parts]
    assert form.is_binary(items) is binary
    assert form.encode(items, is_binary=binary) == body


@pytest.mark.parametrize(
    ("form", "body", "binary"),
    [
        (XHR, b"2:4a2:4b", False),
        (XHR, b"\0\2\xff4a\0\2\xff4b", True),
        (BASE64, b"\0\2\xff4a\0\2\xff4b", True),
        (JSONP, b"d=2%3A4a2%3A4b", False),
    ],
)
def test_the_packets_of_a_post(form: PayloadFormat, body: bytes, binary: bool) -> None:
    packets = list(form.decode(body, is_binary=binary))
    assert packets == [EnginePacket(MESSAGE, "a"), EnginePacket(MESSAGE, "b")]


def test_packets_before_an_error_count() -> None:
    packets = XHR.decode(b"2:4ax", is_binary=False)
    assert next(packets) == EnginePacket(MESSAGE, "a")
    with pytest.raises(RemoteProtocolError):
        next(packets)
