"""The root of the error tree: who broke the protocol, and what the log says of it."""

from hypothesis import given, strategies as st

from trio_sio.protocol.errors import (
    LocalProtocolError,
    ProtocolError,
    RemoteProtocolError,
    SocketIOError,
)


def test_tree() -> None:
    assert issubclass(ProtocolError, SocketIOError)
    assert LocalProtocolError.__bases__ == RemoteProtocolError.__bases__ == (ProtocolError,)
    # What we raise on purpose must not be taken for a mistake of Python's kind.
    assert SocketIOError.__bases__ == (Exception,)


def test_remote_error_has_words_for_the_peer_and_a_hint_for_the_log() -> None:
    error = RemoteProtocolError("invalid payload", "EVENT with {}")
    assert error.args == ("invalid payload",)
    assert error.hint == "EVENT with {}"
    assert str(error) == "invalid payload: EVENT with {}"


def test_remote_error_without_a_hint() -> None:
    error = RemoteProtocolError("parse error")
    assert error.hint == ""
    assert str(error) == "parse error"


@given(st.text(max_size=9), st.text(max_size=9))
def test_a_hint_follows_the_message(message: str, hint: str) -> None:
    error = RemoteProtocolError(message, hint)
    assert (error.args, error.hint) == ((message,), hint)
    assert str(error) == (f"{message}: {hint}" if hint else message)
