"""A Socket.IO packet as the router reads it."""

import pytest
from hypothesis import given, strategies as st
from hypothesis.vendor.pretty import pretty

from trio_sio.protocol.socketio.packet import (
    BACKLOG,
    JSON,
    MAX_ATTACHMENTS,
    RESERVED_EVENTS,
    RESERVED_EVENTS_4,
    RESERVED_FOR_ALL,
    RESERVED_NAMESPACE_EVENTS,
    Packet,
    PacketType,
    event_packet,
)
from trio_sio.testing import strategies as sio


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


def test_as_many_attachments_as_javascript_takes() -> None:
    assert MAX_ATTACHMENTS == 10


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
    assert sorted(RESERVED_EVENTS_4 - {BACKLOG}) == [
        *("connect", "disconnect", "disconnecting", "error", "newListener", "removeListener")
    ]
    assert {"connect_error"} == RESERVED_EVENTS - RESERVED_EVENTS_4
    assert BACKLOG in RESERVED_EVENTS_4  # nobody may set off handlers of `on_backlog`
    assert sorted(RESERVED_NAMESPACE_EVENTS) == ["connect", "connection", "newListener"]


NUMBERS = st.integers() | st.floats(allow_nan=False, allow_infinity=False)


@given(st.sampled_from(PacketType), NUMBERS | st.text(max_size=5), st.lists(sio.json_values()))
def test_name_and_arguments(kind: PacketType, name: float | str, args: list[JSON]) -> None:
    packet = Packet(kind, "/", [name, *args])
    is_event = kind in (PacketType.EVENT, PacketType.BINARY_EVENT)
    assert packet.args == (args if is_event else [name, *args])
    if isinstance(name, str):
        assert packet.event == name
    else:
        assert type(name)(packet.event) == name
        assert not packet.event.endswith(".0")


@given(st.sampled_from(PacketType), sio.json_values(binary=True))
def test_any_data_has_a_name_and_arguments(kind: PacketType, data: JSON) -> None:
    packet = Packet(kind, "/", data)
    assert isinstance(packet.event, str)
    assert pretty(packet) == repr(packet)
    if not isinstance(data, list) or not data:
        assert (packet.event, packet.args) == ("", [])


@given(
    st.text(max_size=5) | st.sampled_from(sorted(RESERVED_FOR_ALL)),
    st.lists(st.integers()).map(tuple),
    sio.namespaces(),
    st.none() | st.integers(0, 9),
)
def test_the_packet_of_an_event(
    name: str, args: tuple[int, ...], namespace: str, ack_id: int | None
) -> None:
    if name in RESERVED_EVENTS:
        with pytest.raises(ValueError, match="is reserved"):
            event_packet(name, args, RESERVED_EVENTS, namespace, ack_id)
        return
    packet = event_packet(name, args, RESERVED_EVENTS, namespace, ack_id)
    assert packet == Packet(PacketType.EVENT, namespace, [name, *args], ack_id)
    assert (packet.event, packet.args) == (name, [*args])


@given(st.none() | st.integers() | st.binary() | st.lists(st.text()))
def test_a_name_is_a_str(name: object) -> None:
    with pytest.raises(TypeError, match="an event name must be a str, not "):
        event_packet(name, (), RESERVED_FOR_ALL)  # type: ignore[arg-type]


# --- how a packet is shown -----------------------------------------------------------------------

SHOWN: list[tuple[Packet, str]] = [
    (Packet(PacketType.CONNECT), "<Packet 0>"),
    (Packet(PacketType.CONNECT, "/chat?a=1"), "<Packet 0/chat?a=1,>"),
    (Packet(PacketType.CONNECT, ""), "<Packet 0,>"),  # which nobody can send
    (Packet(PacketType.EVENT, "/", ["a", 1]), '<Packet 2["a",1]>'),
    (Packet(PacketType.ACK, "/chat", [], 0), "<Packet 3/chat,0[]>"),
    (Packet(PacketType.BINARY_EVENT, "/", ["a"]), '<Packet 50-["a"]>'),
    (
        Packet(PacketType.BINARY_EVENT, "/chat", ["a", b"x"], 13),
        """<Packet 51-/chat,13["a",{"_placeholder":true,"num":0}] + b'x'>""",
    ),
]


@pytest.mark.parametrize(("packet", "text"), SHOWN)
def test_a_packet_is_shown_as_it_is_sent(packet: Packet, text: str) -> None:
    assert repr(packet) == text
    assert pretty(packet) == text  # in reports of Hypothesis, too
    assert pretty([packet]) == f"[{text}]"


# --- what the router relies on -------------------------------------------------------------------


def test_packets_are_small_and_can_be_keys() -> None:
    packet = Packet(PacketType.EVENT, "/a", "data", 7)
    assert not hasattr(packet, "__dict__")
    assert {packet: "found"}[Packet(PacketType.EVENT, "/a", "data", 7)] == "found"
    assert len({packet, Packet(PacketType.EVENT, "/b", "data", 7)}) == 2


@pytest.mark.parametrize("name", sorted(RESERVED_EVENTS | RESERVED_NAMESPACE_EVENTS))
def test_what_a_socket_or_a_namespace_reserves_cannot_be_sent_to_all(name: str) -> None:
    with pytest.raises(ValueError, match="is reserved"):
        event_packet(name, (), RESERVED_FOR_ALL)


def test_a_name_that_only_a_namespace_reserves_can_be_sent_to_a_socket() -> None:
    assert event_packet("connection", (), RESERVED_EVENTS).event == "connection"
    assert event_packet("disconnect", (), RESERVED_NAMESPACE_EVENTS).event == "disconnect"
