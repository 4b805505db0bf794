"""What a version says is what the protocol says."""

import pytest

from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3, EngineVersion

MESSAGES: list[str | bytes] = ["text €", b"\x00\xff"]


@pytest.mark.parametrize("version", [EIO3])
@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_written_for_a_poll_can_be_read_of_a_post(
    message: str | bytes, version: EngineVersion
) -> None:
    item = Encoded.of_messages([message, message])
    packets = [EnginePacket(EnginePacketType.MESSAGE, message)] * 2
    assert list(version.decode_text_body(item.wire(version.text_body))) == packets
    assert list(version.decode_binary_body(item.wire(version.binary_body))) == packets


@pytest.mark.parametrize(
    ("item", "kind"),
    [
        (EIO3.pong, EnginePacketType.PONG),
        (EIO3.noop, EnginePacketType.NOOP),
        (EIO3.close, EnginePacketType.CLOSE),
    ],
)
def test_fixed_packets(item: Encoded, kind: EnginePacketType) -> None:
    (part,) = item.parts
    assert isinstance(part, str)
    assert EIO3.decode_text(part) == EnginePacket(kind)


def test_a_probe_is_a_ping_with_a_name_and_its_answer_a_pong_with_the_same() -> None:
    assert EIO3.decode_text("2probe") == EIO3.probe
    assert EIO3.probe_answer.wire(EIO3.frames) == b"\x81\x063probe"


def test_binary_messages_carry_their_type() -> None:
    assert EIO3.decode_binary(b"\x04\x01") == EnginePacket(EnginePacketType.MESSAGE, b"\x01")


def test_a_script_calls_back() -> None:
    body = Encoded.of_messages(["a"]).wire(EIO3.text_body)
    assert EIO3.encode_jsonp("7", body) == b'___eio[7]("2:4a");'
