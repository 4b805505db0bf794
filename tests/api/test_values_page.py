"""The table of values that have a form, in the guide: each row is what both parsers send."""

import enum
import json
import math
import re
from collections import namedtuple
from collections.abc import Callable
from datetime import UTC, date, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from trio_sio.exceptions import LocalProtocolError
from trio_sio.protocol.socketio import codec_msgpack
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import Packet, PacketType

PAGE = Path(__file__).parents[2] / "docs" / "guide" / "values.md"
ROW = re.compile(r"^\| `(.+?)`(?:, an? .+)? \| (.+) \| (.+) \|$", re.MULTILINE)
ROWS: list[tuple[str, str, str]] = ROW.findall(PAGE.read_text("utf-8"))

Point = namedtuple("Point", "x y")  # noqa: PYI024 - as the page shows it
Colour = enum.StrEnum("Colour", {"RED": "red"})
NAMES = {
    "Point": Point,
    "Colour": Colour,
    "HTTPStatus": HTTPStatus,
    "UTC": UTC,
    "date": date,
    "datetime": datetime,
}
WORDS: dict[str, Callable[[Any], bool]] = {
    "a `Date`": lambda value: value == datetime(2026, 3, 1, 12, tzinfo=UTC),
    "bytes": lambda value: value == b"\x01",
    "`NaN`": math.isnan,
    "`-Infinity`": lambda value: value == -math.inf,
}


def never(value: object) -> object:
    raise AssertionError(f"called for {value!r}")


@pytest.mark.parametrize(("value", "text", "packed"), ROWS)
def test_what_is_sent(value: str, text: str, packed: str) -> None:
    packet = Packet(PacketType.EVENT, "/", ["a", eval(value, NAMES)])
    message, *attachments = Encoder(default=never).encode(packet)
    assert isinstance(message, str)
    if text == "an attachment":
        assert attachments == [b"\x01"]
    else:
        assert message == f'2["a",{text.strip("`")}]'
    packer = codec_msgpack.Encoder(never)
    if packed == "refused":
        with pytest.raises(LocalProtocolError, match="beyond 64 bits"):
            packer.encode(packet)
        return
    (packed_message,) = packer.encode(packet)
    decoded = codec_msgpack.Decoder().feed(packed_message)
    assert decoded is not None
    if packed == "the same":
        assert decoded.args == [json.loads(text.strip("`"))]
    else:
        assert WORDS[packed](decoded.args[0])


def test_the_page_has_many_rows() -> None:
    assert len(ROWS) >= 13
