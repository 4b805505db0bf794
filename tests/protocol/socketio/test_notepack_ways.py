"""Nearly all MessagePack is left to the library: value by value takes ten times as long."""

from collections.abc import Callable

import pytest

from trio_sio.protocol.socketio import notepack
from trio_sio.protocol.socketio.packet import JSON

MAX_PLACES = 4_194_304
"""Headers times bytes, up to which the library decodes what a server sends."""


def noted(monkeypatch: pytest.MonkeyPatch, name: str) -> list[str]:
    """Return a list that gets an item with each call of a function, which works as ever."""
    calls: list[str] = []
    function = getattr(notepack, name)

    def call(*args: object) -> object:
        calls.append(name)
        return function(*args)

    monkeypatch.setattr(notepack, name, call)
    return calls


def looks_like(header: int, count: int, size: int) -> bytes:
    """Return a message of so many bytes, of which some look like headers of long lists or maps."""
    data = bytes((header,)) * count
    data += bytes(size - 5 - count)
    return b"\xc6" + len(data).to_bytes(4, "big") + data


CLIENT, SERVER = notepack.unpack, notepack.unpack_data


@pytest.mark.parametrize(
    ("unpack", "message", "walks"),
    [
        (CLIENT, b"\x92\xa1a\x01", False),
        (CLIENT, b"\x92\xa1a\xd4\x00\x00", False),  # undefined
        (CLIENT, b"\x81\x01\x02", False),
        (CLIENT, looks_like(0xDC, notepack.MAX_HEADERS - 1, 50), False),
        *((CLIENT, looks_like(head, 8, 50), False) for head in (0xDC, 0xDD, 0xDE, 0xDF)),
        *((CLIENT, looks_like(head, 9, 50), True) for head in (0xDC, 0xDD, 0xDE, 0xDF)),
        (SERVER, looks_like(0xDD, 9, 50), False),
        (SERVER, looks_like(0xDD, 1024, MAX_PLACES // 1024), False),
        (SERVER, looks_like(0xDD, 1024, MAX_PLACES // 1024 + 1), True),
        (SERVER, b"\x92\xa1a\xd4\x00\x00", True),  # undefined, which it may have to leave out
        (SERVER, b"\x92\xa1a\xd4\x05\x00", False),
    ],
    ids=lambda value: getattr(value, "__name__", repr(value)),
)
def test_which_messages_are_decoded_value_by_value(
    unpack: Callable[[bytes], JSON], message: bytes, walks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = noted(monkeypatch, "unpack_each")
    unpack(message)
    assert bool(calls) == walks


@pytest.mark.parametrize(
    ("value", "walks"),
    [
        ("a", False),
        ([0.5, {"a": 0.5}], False),
        ({1: 2}, False),
        ("\ud800", False),
        (2**64, False),
        ({0.5: 1}, True),
    ],
    ids=ascii,
)
def test_which_data_is_encoded_value_by_value(
    value: object, walks: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = noted(monkeypatch, "pack_each")
    notepack.pack_data(value)
    assert bool(calls) == walks
