"""Broadcasts between the servers of a cluster: two formats, one for each generation of servers."""

from typing import Any, Protocol

from trio_sio.abc import NO_FLAGS, AdapterNamespace, Flags, Target
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.v8.answers import target_of
from trio_sio.adapters.cluster.v8.conversation import manner_of, selection_of
from trio_sio.protocol.cluster.broadcast import ClusterBroadcast, decode_broadcast
from trio_sio.protocol.cluster.v8 import broadcast as v8
from trio_sio.protocol.socketio.packet import Packet


class Message(Protocol):
    """A broadcast of another server, decoded."""

    @property
    def uid(self) -> str: ...
    @property
    def packet(self) -> Packet: ...


class BroadcastFormat(Protocol):
    """How broadcasts are written and read in one namespace."""

    def encode(self, packet: Packet, target: Target) -> bytes:
        """Return the message for other servers.

        Raises:
            LocalProtocolError: the event cannot be encoded.
        """

    def decode(self, payload: bytes) -> Message:
        """Return a broadcast.

        Raises:
            RemoteProtocolError: it is none.
        """

    def target_of(self, message: Any) -> Target:  # noqa: ANN401 - what `decode` has returned
        """Return which sockets of this server it is for, and how they are sent it."""


class BroadcastsV5:
    """In the format of socket.io-redis 5.

    Args:
        broker: has the uid of this server.
        namespace: the namespace.
    """

    def __init__(self, broker: Broker, namespace: AdapterNamespace) -> None:
        self._broker = broker
        self._namespace = namespace

    def encode(self, packet: Packet, target: Target) -> bytes:
        """Return the message for other servers."""
        flags = target.flags
        sender = () if target.sender is None else (target.sender,)
        return ClusterBroadcast(
            self._broker.uid,
            Packet(packet.type, self._namespace.name, packet.data),
            tuple(target.rooms),
            sender,
            volatile=flags.volatile,
            compress=flags.compress,
            binary=flags.binary,
            excepted_rooms=tuple(target.excepted),
        ).encode()

    decode = staticmethod(decode_broadcast)

    def target_of(self, message: ClusterBroadcast) -> Target:
        """Return which sockets of this server a broadcast is for."""
        flags, excepted, sender = NO_FLAGS, message.excepted_rooms, None
        if message.volatile or not message.compress or not message.binary:
            flags = Flags(message.volatile, False, message.compress, message.binary)
        if message.excepted:
            # The room of an id that is not here may have other members, who are not excepted.
            here = [one for one in message.excepted if one in self._namespace.connected]
            sender, excepted = here[0] if here else None, (*excepted, *here[1:])
        return Target(frozenset(message.rooms), frozenset(excepted), sender, flags)


class BroadcastsV8:
    """In the format of @socket.io/redis-adapter 7 and 8.

    Args:
        broker: has the uid of this server.
        namespace: the namespace.
    """

    def __init__(self, broker: Broker, namespace: AdapterNamespace) -> None:
        self._broker = broker
        self._namespace = namespace

    def encode(self, packet: Packet, target: Target) -> bytes:
        """Return the message for other servers."""
        own = Packet(packet.type, self._namespace.name, packet.data)
        selection = selection_of(target, self._namespace.connected)
        return v8.encode_broadcast(
            self._broker.uid, own, selection.rooms, selection.excepted, manner_of(target)
        )

    decode = staticmethod(v8.decode_broadcast)

    def target_of(self, message: v8.Broadcast) -> Target:
        """Return which sockets of this server a broadcast is for."""
        return target_of(message.selection, message.manner)
