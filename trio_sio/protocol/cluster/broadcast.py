"""An event for the sockets of other servers, as socket.io-redis publishes it.

    [uid, {type, data, nsp}, {except, rooms, flags}]    in MessagePack, with its keys in this order

`uid` is that of the sender, who ignores its own messages. `type` is 5 if there are bytes in the
data and they are to be sent as such, otherwise 2: bytes in a packet of type 2 are written as
`Buffer` in JSON, here as by JavaScript. `except` is left out if there are none.

`except` has the ids of sockets. Servers of this library except rooms, too: their names are added to
it, since a room may be a socket's own, and are once more in `exceptRooms`, behind `flags`, which
JavaScript's servers do not look at.

What the clients of other servers get is what the sender's get: all that JSON can express is sent.
Integers beyond 64 bits become floats, which they are in JavaScript anyway. JavaScript's servers
replace lone surrogates, and round integers of more than 53 bits.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache

from trio_sio.protocol.cluster.text import MAX_NAME, read_rooms
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio.checks import excerpt, is_event
from trio_sio.protocol.socketio.notepack import pack_data, unpack_data
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.protocol.socketio.slow_notepack import has_binary
from trio_sio.protocol.socketio.unsendable import explain

_BYTES_HEADERS = re.compile(rb"[\xc4-\xc9]")
"""What bytes begin with: those of Python, and those of JavaScript, which has ArrayBuffers, too."""

_TO_ALL = b"\x82\xa5rooms\x90\xa5flags\x80"
_TO_ONE = b"\x82\xa5rooms\x91%b\xa5flags\x80"
"""The options of nearly all broadcasts; `_options` makes the same, in four times as long."""


@dataclass(slots=True, unsafe_hash=True)
class ClusterBroadcast:
    """A broadcast from one server to the others. It is never changed, as a `Packet` is not.

    Attributes:
        uid: of the sender.
        packet: the event; its type is EVENT, whether there are bytes in it or not.
        rooms: for the sockets in any of these rooms; for all sockets, if there are none.
        excepted: but for none of these sockets.
        excepted_rooms: nor for any socket in these rooms.
        volatile: skip clients that cannot take it at this moment.
        compress: transports may compress it.
        binary: send bytes as such; `False` writes them as JavaScript's Buffer in JSON.
    """

    uid: str
    packet: Packet
    rooms: tuple[str, ...] = ()
    excepted: tuple[str, ...] = ()
    volatile: bool = False
    compress: bool = True
    binary: bool = True
    excepted_rooms: tuple[str, ...] = ()

    def encode(self) -> bytes:
        """Return the message.

        Raises:
            LocalProtocolError: the data cannot be sent.
        """
        flags = None
        if self.volatile or not self.compress or not self.binary:
            said = {"volatile": self.volatile, "compress": self.compress, "binary": self.binary}
            flags = {name: value for name, value in said.items() if value is (name == "volatile")}
        return encode_broadcast(
            self.uid,
            self.packet,
            self.rooms,
            self.excepted,
            flags,
            binary=self.binary,
            excepted_rooms=self.excepted_rooms,
        )


def encode_broadcast(
    uid: str,
    packet: Packet,
    rooms: Collection[str] = (),
    excepted: Collection[str] = (),
    flags: Mapping[str, bool] | None = None,
    *,
    binary: bool = True,
    excepted_rooms: Collection[str] = (),
) -> bytes:
    """Return the message of a broadcast, with any flags in any order.

    Raises:
        LocalProtocolError: the data cannot be sent. (Whether JSON has its keys is not looked at.)
    """
    try:
        data = pack_data(packet.data)
    except (TypeError, ValueError) as error:
        what = explain(packet, error, pack_data)
        raise LocalProtocolError(f"cannot be sent to other servers: {what}") from error
    # UTF-8 and numbers have these bytes, too, but hardly any message does.
    may_have = binary and (b"\xc4" in data or b"\xc5" in data or b"\xc6" in data)
    kind = b"\x05" if may_have and has_binary(packet.data) else b"\x02"
    if excepted or excepted_rooms or flags or len(rooms) > 1:
        options = _options(rooms, excepted, excepted_rooms, flags)
    else:
        options = _TO_ONE % pack_data(*rooms) if rooms else _TO_ALL
    end = _end(packet.namespace)
    return b"\x93%b\x83\xa4type%b\xa4data%b%b%b" % (_text(uid), kind, data, end, options)


def _options(
    rooms: Collection[str],
    excepted: Collection[str],
    excepted_rooms: Collection[str],
    flags: Mapping[str, bool] | None,
) -> bytes:
    options: dict[str, object] = {}
    if excepted or excepted_rooms:
        options["except"] = [*excepted, *excepted_rooms]
    options["rooms"] = list(rooms)
    options["flags"] = dict(flags or {})
    if excepted_rooms:
        options["exceptRooms"] = list(excepted_rooms)
    return pack_data(options)


@lru_cache(16)
def _text(text: str) -> bytes:
    return pack_data(text)


@lru_cache(256)
def _end(namespace: str) -> bytes:
    return b"\xa3nsp" + pack_data(namespace)


def begins_with(payload: bytes, uid: str) -> bool:
    """Whether a message is of this sender, who wrote it as `encode` does; it is not decoded."""
    return payload.startswith(_text(uid), 1)


def decode_broadcast(payload: bytes) -> ClusterBroadcast:
    """Return a broadcast of another server, or the own one.

    If there may be bytes in a packet of type 2, as JavaScript's emitters send them, `binary` is
    `False`. ArrayBuffers are written as `Buffer` then, and not as the `{}` of JavaScript's servers.

    Raises:
        RemoteProtocolError: it is not a broadcast.
    """
    message = unpack_data(payload)
    if not isinstance(message, list) or len(message) < 2:
        raise _error(f"{excerpt(message)} in place of sender, packet and options")
    uid, fields = message[0], message[1]
    if not isinstance(uid, str) or not 0 < len(uid) <= MAX_NAME:
        raise _error(f"the sender is {excerpt(uid)}")
    if not isinstance(fields, dict):
        raise _error(f"{excerpt(fields)} in place of a packet")
    kind = fields.get("type")
    if kind != 2 and kind != 5:
        raise _error(f"a packet of type {excerpt(kind)}; events have 2 or 5")
    data, namespace = fields.get("data"), fields.get("nsp", "/")
    if not is_event(data):
        raise _error(f"an event with {excerpt(data)}")
    if not isinstance(namespace, str):
        raise _error(f"the namespace is {excerpt(namespace)}")
    if fields.get("id") is not None:
        raise _error("an event with an id, which a broadcast cannot have")
    binary = kind == 5 or _BYTES_HEADERS.search(payload) is None
    packet = Packet(PacketType.EVENT, namespace, data)
    options = message[2] if len(message) > 2 else None
    if not options:
        options = {}
    elif not isinstance(options, dict):
        raise _error(f"the options are {excerpt(options)}")
    rooms = _read_rooms(options, "rooms")
    excepted = _read_rooms(options, "except")
    excepted_rooms = _read_rooms(options, "exceptRooms")
    if excepted_rooms:
        rooms_among_them = frozenset(excepted_rooms)
        excepted = tuple([one for one in excepted if one not in rooms_among_them])
    volatile, compress = False, True
    if flags := options.get("flags"):
        if not isinstance(flags, dict):
            raise _error(f"the flags are {excerpt(flags)}")
        volatile, compress = bool(flags.get("volatile")), flags.get("compress") is not False
        binary = binary and flags.get("binary") is not False
    return ClusterBroadcast(
        uid, packet, rooms, excepted, volatile, compress, binary, excepted_rooms
    )


def _read_rooms(options: dict[str, JSON], key: str) -> tuple[str, ...]:
    value = options.get(key)
    return () if value is None or value == [] else read_rooms(value, key, "broadcast")


def _error(hint: str) -> RemoteProtocolError:
    return RemoteProtocolError("invalid broadcast", hint)
