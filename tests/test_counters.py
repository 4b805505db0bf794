"""What a server counts begins with nothing, and each number is explained."""

from trio_sio.counters import REFUSALS, Counters
from trio_sio.protocol.engineio.handshake import ErrorCode


def test_all_begin_at_zero() -> None:
    counters = Counters()
    numbers = [getattr(counters, name) for name in Counters.__slots__ if name != "refused"]
    assert set(numbers) == {0}
    assert counters.refused == dict.fromkeys(REFUSALS, 0)


def test_each_is_explained() -> None:
    text = Counters.__doc__ or ""
    assert [name for name in Counters.__slots__ if f" {name}:" not in text] == []


def test_each_error_code_has_a_kind() -> None:
    assert {code.name.lower() for code in ErrorCode} <= set(REFUSALS)
