"""Packets as they are written, and whether they are."""

import logging
import subprocess
import sys
from collections.abc import Iterator

import pytest
from hypothesis import given, strategies as st

from trio_sio.logs.wire import SHOWN, WireLog, logger, wire_log
from trio_sio.protocol.encoded import WS3, Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

MESSAGE, PING = EnginePacketType.MESSAGE, EnginePacketType.PING


@pytest.fixture(autouse=True)
def level() -> Iterator[None]:
    yield
    logger.setLevel(logging.INFO)


def test_it_has_to_be_asked_for_by_its_name(caplog: pytest.LogCaptureFixture) -> None:
    for above in ("", "trio_sio"):
        caplog.set_level(logging.DEBUG, above)
        assert wire_log("abc") is None
    logger.setLevel(logging.DEBUG)
    assert wire_log("abc") is not None


def test_a_level_that_was_set_before_holds() -> None:
    program = """
import logging
logging.getLogger("trio_sio.wire").setLevel(logging.DEBUG)
import trio_sio.logs.wire
assert trio_sio.logs.wire.wire_log("abc") is not None
"""
    subprocess.run([sys.executable, "-c", program], check=True)


def test_lines(caplog: pytest.LogCaptureFixture) -> None:
    logger.setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    wire = WireLog("pMx0aBcDeF")
    wire.incoming("polling", EnginePacket(PING, "probe"))
    wire.incoming("websocket", EnginePacket(MESSAGE, '2["a\n"]'))
    wire.incoming("websocket", EnginePacket(MESSAGE, bytes(1024)))
    event = Encoded.of_messages(['51-["x"]', b"abc"])
    wire.outgoing("websocket", [Encoded(("3probe",)), event, Encoded.raw(WS3, b"a pong")])
    assert caplog.messages == [
        "pMx0aB… polling in PING probe",
        'pMx0aB… websocket in MESSAGE 2["a\\n"]',
        "pMx0aB… websocket in MESSAGE 1,024 bytes",
        "pMx0aB… websocket out PONG probe",
        'pMx0aB… websocket out MESSAGE 51-["x"]',
        "pMx0aB… websocket out MESSAGE 3 bytes",
    ]
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}


@given(st.text())
def test_a_line_is_one_line_and_not_long(text: str) -> None:
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger.addHandler(handler)
    logger.setLevel(logging.DEBUG)
    try:
        WireLog("sid").incoming("polling", EnginePacket(MESSAGE, text * 50))
    finally:
        logger.removeHandler(handler)
    (line,) = lines
    assert line.isprintable()
    assert len(line) < 60 + 10 * SHOWN


def test_a_large_packet_is_written_after_it_was_framed(caplog: pytest.LogCaptureFixture) -> None:
    logger.setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    item = Encoded.of_messages(["x" * 10_000])
    item.wire(WS3)
    WireLog("sid").outgoing("websocket", [item])
    assert caplog.messages == ["sid websocket out MESSAGE " + "x" * SHOWN + "…"]


def test_the_secret_of_a_client_that_may_come_back(caplog: pytest.LogCaptureFixture) -> None:
    logger.setLevel(logging.DEBUG)
    caplog.set_level(logging.DEBUG)
    wire = WireLog("pMx0aBcDeF")
    wire.incoming("websocket", EnginePacket(MESSAGE, '0{"pid":"secret"}'))
    wire.outgoing("websocket", [Encoded.of_messages(['0{"sid":"a","pid":"secret"}'])])
    wire.incoming("websocket", EnginePacket(MESSAGE, '2["x",{"pid":"7"}]'))
    assert "secret" not in caplog.text
    assert '{"pid":"7"}' in caplog.text
