"""What trio_sio raises: one tree, and texts for people."""

import pytest
import trio

from trio_sio import (
    JSON,
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    LimitReached,
    LocalProtocolError,
    PacketRefused,
    ProtocolError,
    Refused,
    RemoteProtocolError,
    RequestRefused,
    SocketIOError,
)


@pytest.mark.parametrize(
    ("error", "parents"),
    [
        (Disconnected, [SocketIOError, trio.BrokenResourceError]),
        (Refused, [SocketIOError]),
        (ConnectionRefused, [Refused]),
        (PacketRefused, [Refused]),
        (RequestRefused, [SocketIOError]),
        (LimitReached, [SocketIOError]),
        (LocalProtocolError, [ProtocolError]),
        (RemoteProtocolError, [ProtocolError]),
        (ProtocolError, [SocketIOError]),
    ],
)
def test_tree(error: type[Exception], parents: list[type[Exception]]) -> None:
    for parent in parents:
        assert issubclass(error, parent)


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
