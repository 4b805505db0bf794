"""Packets of Engine.IO as clients read and write them."""

import pytest

from trio_sio.testing.clients.expectation import Unexpected
from trio_sio.testing.clients.packets import Opening, from_base64, messages, part_of


def test_opening() -> None:
    text = '0{"sid":"x","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":500,"more":1}'
    opening = Opening.of(text)
    assert (opening.sid, opening.upgrades) == ("x", ("websocket",))
    assert (opening.ping_interval, opening.ping_timeout) == (25.0, 0.5)
    assert opening.fields["more"] == 1


@pytest.mark.parametrize(
    ("packet", "told"),
    [
        ("40", "the first packet must be OPEN"),
        (b"\0{}", "the first packet must be OPEN"),
        ("0[", "unreadable"),
        ("0{}", "unreadable"),
        ('0{"sid":1,"pingInterval":1,"pingTimeout":1}', "sid in OPEN: 1"),
        ('0{"sid":"x","pingInterval":"1","pingTimeout":1}', "pingInterval in OPEN"),
    ],
)
def test_what_is_no_opening(packet: str | bytes, told: str) -> None:
    with pytest.raises(Unexpected, match=told):
        Opening.of(packet)


def test_base64() -> None:
    assert from_base64("b4AQID") == b"\x04\x01\x02\x03"
    for packet in ("b", "bx", "b4*"):
        with pytest.raises(Unexpected, match="no packet in base64"):
            from_base64(packet)


def test_messages() -> None:
    assert messages(['51-["x"]', b"\0\1"]) == ['451-["x"]', b"\x04\0\1"]


def test_those_of_engine_io_4() -> None:
    assert messages(['51-["x"]', b"\0\1"], eio=4) == ['451-["x"]', b"\0\1"]
    assert from_base64("bAQID", eio=4) == b"\x01\x02\x03"
    assert from_base64("b", eio=4) == b""
    with pytest.raises(Unexpected, match="no packet in base64"):
        from_base64("bA", eio=4)


@pytest.mark.parametrize("eio", [3, 4])
@pytest.mark.parametrize("part", ['51-["x"]', b"", b"\x04\x01"])
def test_parts_of_packets_are_what_they_were_made_of(part: str | bytes, eio: int) -> None:
    (packet,) = messages([part], eio)
    assert part_of(packet, eio) == part


def test_parts_of_packets_in_base64() -> None:
    assert part_of("b4AQID") == part_of("bAQID", eio=4) == b"\x01\x02\x03"
