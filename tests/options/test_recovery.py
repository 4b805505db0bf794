"""What may be said of recovery."""

import pytest

from trio_sio import Recovery, Server
from trio_sio.options.recovery import check_recovery, recovery_of


def test_a_mapping_says_the_same() -> None:
    assert recovery_of(None) is None
    assert recovery_of({}) == Recovery()
    mapping = {"max_disconnection_duration": 60, "skip_middlewares": True, "max_packets": 5}
    expected = Recovery(max_disconnection_duration=60, skip_middlewares=True, max_packets=5)
    assert recovery_of(mapping) == recovery_of(expected) == expected


def test_defaults() -> None:
    default = Recovery()
    assert (default.max_disconnection_duration, default.skip_middlewares) == (120.0, False)
    assert (default.max_packets, default.max_bytes) == (10_000, 16 * 2**20)
    assert default.max_sessions == 10_000


@pytest.mark.parametrize(
    ("value", "error", "words"),
    [
        (True, TypeError, "a Recovery, a mapping or None"),
        (120, TypeError, "a Recovery, a mapping or None"),
        ({"maxDisconnectionDuration": 1}, TypeError, "'max_disconnection_duration' here"),
        ({"max_packet": 1}, TypeError, "did you mean 'max_packets'"),
        ({"max_packets": 0}, ValueError, "at least 1"),
        ({"max_bytes": 1.5}, TypeError, "an int"),
        ({"max_sessions": None}, TypeError, "an int"),
        ({"skip_middlewares": 1}, TypeError, "True or False"),
        ({"max_disconnection_duration": 0}, ValueError, "more than 0"),
    ],
)
def test_wrong_values(value: object, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        check_recovery("connection_state_recovery", value)
    with pytest.raises(error, match=words):
        Server(connection_state_recovery=value)  # type: ignore[arg-type]  # that is the point


def test_milliseconds_are_noticed() -> None:
    with pytest.warns(UserWarning, match="in seconds"):
        Recovery(max_disconnection_duration=120_000)
