"""What trio_sio raises: one tree, and texts for people."""

import inspect
import re

import pytest
import trio

import trio_sio
from trio_sio import (
    JSON,
    BodyError,
    BodyTooLarge,
    BodyTooSlow,
    ClientError,
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    InvalidBody,
    LimitReached,
    LocalProtocolError,
    NoAnswer,
    PacketRefused,
    ProtocolError,
    Refused,
    RemoteProtocolError,
    RequestRefused,
    SocketIOError,
)
from trio_sio.engine.refusal import refusal_of
from trio_sio.protocol.engineio.handshake import ErrorCode


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (Disconnected, [SocketIOError, trio.BrokenResourceError]),
        (Refused, [SocketIOError]),
        (ConnectionRefused, [Refused]),
        (PacketRefused, [Refused]),
        (RequestRefused, [SocketIOError]),
        (LimitReached, [SocketIOError]),
        (NoAnswer, [SocketIOError, trio.TooSlowError]),
        (LocalProtocolError, [ProtocolError]),
        (RemoteProtocolError, [ProtocolError]),
        (ProtocolError, [SocketIOError]),
        (ClientError, [SocketIOError]),
        (BodyError, [SocketIOError]),
        (BodyTooLarge, [BodyError]),
        (BodyTooSlow, [BodyError]),
        (InvalidBody, [BodyError]),
    ],
)
def test_tree(error: type[Exception], parents: list[type[Exception]]) -> None:
    for parent in parents:
        assert issubclass(error, parent)


def test_the_tree_is_whole_and_drawn() -> None:
    """Each exception of the package's front is in the tree, and in its picture at its place."""
    lines = re.findall(r"^    ([│├└─ ]*)(\w+)", trio_sio.exceptions.__doc__ or "", re.MULTILINE)
    path: list[str] = []
    parents: dict[str, str | None] = {}
    for branch, name in lines:
        depth = (len(branch) + 2) // 4
        path[depth:] = [name]
        parents[name] = path[depth - 1] if depth else None
    front = {name: one for name, one in vars(trio_sio).items() if inspect.isclass(one)}
    ours = {name for name, one in front.items() if issubclass(one, Exception)}
    assert parents.keys() == ours
    for name, parent in parents.items():
        expected = Exception if parent is None else front[parent]
        assert front[name].__bases__[0] is expected


def test_refusals_of_two_kinds_are_not_each_other() -> None:
    assert not issubclass(ConnectionRefused, PacketRefused)
    assert not issubclass(PacketRefused, ConnectionRefused)
    assert not issubclass(RequestRefused, Refused)


def test_disconnected_says_why() -> None:
    assert str(Disconnected(DisconnectReason.PING_TIMEOUT)) == "ping timeout"
    assert Disconnected(DisconnectReason.PING_TIMEOUT).reason is DisconnectReason.PING_TIMEOUT
    assert str(Disconnected()) == "disconnected"
    assert Disconnected().reason is None


@pytest.mark.parametrize("kind", [Refused, ConnectionRefused, PacketRefused])
@pytest.mark.parametrize(
    ("message", "data", "answer"),
    [
        ("", None, ""),
        ("no", None, "no"),
        ("no", {"a": 1}, {"a": 1}),
        ("no", b"\0", b"\0"),
        ("no", 0, "no"),
        ("no", False, "no"),
        ("no", {}, "no"),
        ("", "data", "data"),
    ],
)
def test_refusals_answer_is_data_unless_it_is_falsy(
    kind: type[Refused], message: str, data: JSON, answer: JSON
) -> None:
    refused = kind(message, data)
    assert refused.answer == answer
    assert str(refused) == refused.message == message
    assert refused.data == data


def test_request_refused() -> None:
    assert str(RequestRefused("go away")) == RequestRefused("go away").message == "go away"
    assert RequestRefused().code is None
    assert RequestRefused(code=3).code == 3


def test_remote_protocol_error_has_a_hint() -> None:
    assert "too long" in str(RemoteProtocolError("bad packet", "too long"))
    with pytest.raises(SocketIOError, match="bad packet"):
        raise RemoteProtocolError("bad packet", "too long")


@pytest.mark.parametrize("kind", [Refused, ConnectionRefused, PacketRefused, RequestRefused])
@pytest.mark.parametrize("message", [None, 4, b"no", {"message": "no"}, ValueError("no")])
def test_a_message_that_is_no_text_is_refused_where_it_is_given(
    kind: type[Refused | RequestRefused], message: object
) -> None:
    with pytest.raises(TypeError) as error:
        kind(message)  # type: ignore[arg-type]
    assert f"the message of {kind.__name__} must be a str, not {message!r}" in str(error.value)


@pytest.mark.parametrize("code", [99, -1, 6, 403])
def test_a_code_that_does_not_exist_is_refused_where_it_is_given(code: int) -> None:
    with pytest.raises(ValueError, match=rf"one of 0 \(Transport unknown\), .*, not {code}"):
        RequestRefused(code=code)


@pytest.mark.parametrize("code", ["4", True, 4.0])
def test_a_code_is_a_number(code: object) -> None:
    with pytest.raises(TypeError, match="the code of RequestRefused must be a number"):
        RequestRefused(code=code)  # type: ignore[arg-type]


@pytest.mark.parametrize("code", list(ErrorCode))
def test_each_code_that_the_server_has_can_be_given(code: ErrorCode) -> None:
    assert refusal_of(RequestRefused(code=int(code))).code is code


def test_no_answer_says_what_arrived_and_who_is_missing() -> None:
    error = NoAnswer("timeout", ["a"], ["web-2:17", "one more"])
    assert error.replies == ["a"]
    assert error.missing == ("web-2:17", "one more")
    assert str(error) == "timeout (missing: web-2:17, one more)"
    assert str(NoAnswer("timeout")) == "timeout"
