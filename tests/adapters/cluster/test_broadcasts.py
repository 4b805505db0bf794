"""Broadcasts in two formats: what other servers read is what was meant."""

import pytest
from hypothesis import given, strategies as st

from tests.support.recipient import Bystander
from trio_sio import Server
from trio_sio.abc import Flags, Target
from trio_sio.adapters.cluster.broadcasts import BroadcastFormat, BroadcastsV5, BroadcastsV8
from trio_sio.protocol.cluster.v8.broadcast import decode_broadcast
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.cluster import MemoryCluster

ROOMS = st.frozensets(st.sampled_from(["a", "b", "é", ""]), max_size=3)
FLAGS = st.builds(Flags, volatile=st.booleans(), compress=st.booleans(), binary=st.booleans())
TARGETS = st.builds(Target, ROOMS, ROOMS, st.sampled_from([None, "sid"]), FLAGS)


def event(*args: JSON) -> Packet:
    return Packet(PacketType.EVENT, "/", ["news", *args])


def formats() -> list[BroadcastFormat]:
    broker, namespace = MemoryCluster().join().broker, Server().sockets
    return [BroadcastsV5(broker, namespace), BroadcastsV8(broker, namespace)]


@given(TARGETS)
def test_a_target_comes_back(target: Target) -> None:
    """The sender is not here: only new servers take what is excepted for rooms."""
    sender = set() if target.sender is None else {target.sender}
    for form, more in zip(formats(), (set(), sender), strict=True):
        message = form.decode(form.encode(event(1), target))
        assert message.uid == "node01"
        assert message.packet == event(1)
        expected = Target(target.rooms, target.excepted.union(more), None, target.flags)
        assert form.target_of(message) == expected


def test_the_sender_of_javascripts_old_servers_is_a_socket_and_that_of_new_ones_a_room() -> None:
    """Of which there is none to be told, if the sender is a socket of this server."""
    server = Server()
    broker = MemoryCluster().join().broker
    server.sockets.sockets["sid"] = Bystander()  # type: ignore[assignment]  # it is not asked
    old, new = BroadcastsV5(broker, server.sockets), BroadcastsV8(broker, server.sockets)
    target = Target(sender="sid")
    assert old.target_of(old.decode(old.encode(event(), target))).sender == "sid"
    for sender, excepted in (("sid", []), ("elsewhere", ["elsewhere"])):
        there = new.target_of(new.decode(new.encode(event(), Target(sender=sender))))
        assert (there.sender, list(there.excepted)) == (None, excepted)


@pytest.mark.parametrize(
    ("data", "buffers"),
    [
        (b"\x01\xff", {"type": "Buffer", "data": [1, 255]}),
        ({"a": [b""]}, {"a": [{"type": "Buffer", "data": []}]}),
    ],
)
def test_bytes_that_are_to_be_json(data: JSON, buffers: JSON) -> None:
    """New servers in JavaScript look for bytes themselves, so there must not be any."""
    target = Target(flags=Flags(binary=False))
    _, new = formats()
    assert decode_broadcast(new.encode(event(data), target)).packet == event(buffers)
