"""A Socket.IO packet as the router reads it."""

import pytest

from trio_sio.protocol.socketio.packet import (
    BACKLOG,
    JSON,
    RESERVED_EVENTS,
    RESERVED_NAMESPACE_EVENTS,
    Packet,
    PacketType,
)


def test_types() -> None:
    assert [(kind.name, int(kind)) for kind in PacketType] == [
        ("CONNECT", 0),
        ("DISCONNECT", 1),
        ("EVENT", 2),
        ("ACK", 3),
        ("ERROR", 4),
        ("BINARY_EVENT", 5),
        ("BINARY_ACK", 6),
    ]


def test_defaults() -> None:
    packet = Packet(PacketType.CONNECT)
    assert (packet.namespace, packet.data, packet.id) == ("/", None, None)


@pytest.mark.parametrize(
    ("data", "event", "args"),
    [
        (["hello", 1, [2]], "hello", [1, [2]]),
        (["hello"], "hello", []),
        ([""], "", []),
        ([1, "z"], "1", ["z"]),
        ([1.0], "1", []),  # JavaScript writes 1.0 as 1
        ([-0.0], "0", []),
        ([1.5], "1.5", []),
        ([2**53], "9007199254740992", []),
        ([], "", []),
        (None, "", []),
        ("hello", "", []),
        ({"0": "hello"}, "", []),
    ],
)
@pytest.mark.parametrize("kind", [PacketType.EVENT, PacketType.BINARY_EVENT])
def test_event(kind: PacketType, data: JSON, event: str, args: list[JSON]) -> None:
    packet = Packet(kind, data=data)
    assert packet.event == event
    assert packet.args == args


def test_infinity_is_no_integer() -> None:
    assert Packet(PacketType.EVENT, data=[float("inf")]).event == "inf"


@pytest.mark.parametrize("kind", [PacketType.ACK, PacketType.BINARY_ACK])
@pytest.mark.parametrize(
    ("data", "args"), [([], []), (["r", 1], ["r", 1]), (None, []), ({"a": 1}, [])]
)
def test_acknowledgement(kind: PacketType, data: JSON, args: list[JSON]) -> None:
    assert Packet(kind, data=data, id=1).args == args


def test_reserved_names() -> None:
    """Section 8.1 of the protocol reference."""
    assert sorted(RESERVED_EVENTS - {BACKLOG}) == [
        *("connect", "disconnect", "disconnecting", "error", "newListener", "removeListener")
    ]
    assert BACKLOG in RESERVED_EVENTS  # nobody may set off handlers of `on_backlog`
    assert sorted(RESERVED_NAMESPACE_EVENTS) == ["connect", "connection", "newListener"]
