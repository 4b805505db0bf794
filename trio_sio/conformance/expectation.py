"""What a check says when the server does something else."""


class Unexpected(Exception):
    """The server did not do what the check expects; the text says what, and what came instead."""


class Ended(Unexpected):
    """The server ended the session, where the check expects more of it; the text says how."""


def expect(actual: object, expected: object, what: str) -> None:
    """Compare what came with what should.

    Raises:
        Unexpected: they differ; names both.
    """
    if actual != expected:
        raise Unexpected(f"{what}: expected {_shown(expected)}, got {_shown(actual)}")


def require(condition: object, sentence: str) -> None:
    """Raise `Unexpected` with this sentence unless the condition holds."""
    if not condition:
        raise Unexpected(sentence)


def _shown(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 400 else f"{shown[:400]}… ({len(shown)} characters)"
