"""What a version says is what the protocol says."""

from dataclasses import FrozenInstanceError

import pytest
from hypothesis import given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.version import EIO3, EIO4, VERSIONS, EngineVersion
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.websocket.frame import BINARY, TEXT, frame

MESSAGES: list[str | bytes] = ["text €", b"\x00\xff"]
BOTH = pytest.mark.parametrize("version", [EIO3, EIO4], ids=["3", "4"])


def test_versions_have_the_numbers_of_the_query() -> None:
    assert VERSIONS == {3: EIO3, 4: EIO4}
    assert (EIO3.number, EIO4.number) == (3, 4)


def test_what_a_client_may_do() -> None:
    """Clients of Engine.IO 4 are asked whether they are there, and know neither of the rest."""
    assert EIO3.client_pings
    assert EIO3.has_binary_bodies
    assert EIO3.has_jsonp
    assert not EIO4.client_pings
    assert not EIO4.has_binary_bodies
    assert not EIO4.has_jsonp


def test_the_status_of_two_polls_at_once() -> None:
    assert (EIO3.overlap_status, EIO4.overlap_status) == (500, 400)


@BOTH
def test_a_version_is_the_same_for_all_sessions(version: EngineVersion) -> None:
    with pytest.raises(FrozenInstanceError):
        version.number = 5  # type: ignore[misc]


@BOTH
@pytest.mark.parametrize("message", MESSAGES)
def test_what_is_written_for_a_poll_can_be_read_of_a_post(
    message: str | bytes, version: EngineVersion
) -> None:
    item = Encoded.of_messages([message, message])
    packets = [EnginePacket(EnginePacketType.MESSAGE, message)] * 2
    assert list(version.decode_text_body(item.wire(version.text_body))) == packets
    assert list(version.decode_binary_body(item.wire(version.binary_body))) == packets


def test_bodies() -> None:
    item = Encoded.of_messages(["a", b"\xff"])
    assert item.wire(EIO3.text_body) == b"2:4a6:b4/w=="
    assert item.wire(EIO3.binary_body) == b"\0\2\xff4a\1\2\xff\4\xff"
    assert item.wire(EIO4.text_body) == item.wire(EIO4.binary_body) == b"4a\x1eb/w=="


@given(st.sampled_from([EIO3, EIO4]), st.binary(max_size=9))
def test_binary_messages_on_a_websocket(version: EngineVersion, data: bytes) -> None:
    """The same, whether the frames are ours or those of the server that hosts the application."""
    item = Encoded.of(data)
    whole, text = version.binary_message(data), version.base64_message(data)
    assert item.wire(version.frames) == frame(BINARY, whole)
    assert item.wire(version.base64_frames) == frame(TEXT, text.encode())
    assert whole == (b"\x04" + data if version is EIO3 else data)
    assert text[:1] == "b"
    assert "\n" not in text
    packet = EnginePacket(EnginePacketType.MESSAGE, data)
    assert version.decode_binary(whole) == version.decode_text(text) == packet


@BOTH
def test_fixed_packets(version: EngineVersion) -> None:
    items = (version.close, version.ping, version.pong, version.noop)
    assert [item.parts for item in items] == [("1",), ("2",), ("3",), ("6",)]


@BOTH
def test_a_probe_is_a_ping_with_a_name_and_its_answer_a_pong_with_the_same(
    version: EngineVersion,
) -> None:
    assert version.decode_text("2probe") == version.probe
    assert version.probe_answer.wire(version.frames) == b"\x81\x063probe"


@BOTH
def test_text_of_no_packet(version: EngineVersion) -> None:
    assert isinstance(attempt(RemoteProtocolError, version.decode_text, "x"), RemoteProtocolError)


def test_a_script_calls_back() -> None:
    body = Encoded.of_messages(["a"]).wire(EIO3.text_body)
    assert EIO3.encode_jsonp("7", body) == b'___eio[7]("2:4a");'
