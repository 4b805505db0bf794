"""The words for it."""

from trio_sio.recovery.failure import RecoveryFailure


def test_they_are_sentences_for_people() -> None:
    assert [str(one) for one in RecoveryFailure] == [
        "unknown session",
        "away for too long",
        "too many sessions away",
        "missed events are gone",
        "unknown offset",
    ]
