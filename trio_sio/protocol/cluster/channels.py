"""The channels of a namespace, as socket.io-redis names them.

    key#namespace#              broadcasts to any rooms
    key#namespace#room#         broadcasts to one room
    key-request#namespace#      requests
    key-response#namespace#     responses
    key-request#ask/…#          questions, of servers of this library alone
    key-response#ask/…#         what these state in return
    key-probe#                  probes, of all namespaces

`key` is "socket.io" by default. Names are sent as UTF-8, and a lone surrogate as the three bytes
that UTF-8 would have for it: servers in JavaScript cannot listen to such a room.

No namespace has a name like "ask/…", since all of them begin with a slash; and whoever may use the
other channels of the key in Redis may use these, too.

Names are not escaped. A broadcast to all of "/a#b" has the same channel as one to the room "b" of
"/a": whoever receives it has to compare the namespace in the message.
"""

import re
from collections.abc import Collection

DEFAULT_KEY = "socket.io"

_SPECIAL = re.compile(rb"[*?\[\]\\]")
"""What has a meaning in a pattern of Redis."""


def probe_channel(key: str) -> bytes:
    """Return the channel on which the servers announce themselves."""
    return _utf8(f"{key}-probe#")


class Channels:
    """The channels of one namespace.

    Args:
        key: what the names of all channels begin with (JS: option `key`).
        namespace: such as "/chat".
        before: goes before its name, for channels beside the usual ones.

    Attributes:
        namespace: the same.
        base: the channel of broadcasts that are not for exactly one room.
        pattern: matches `base` and the channels of all rooms. (That of a JavaScript server has no
            backslashes, so it does not hear namespaces with `* ? [ ]` or a backslash in them.)
        request: the channel of requests.
        response: the channel of responses.
        ask: the channel of questions about many sockets.
        answer: the channel of what is stated in return.
    """

    __slots__ = ("answer", "ask", "base", "namespace", "pattern", "request", "response")

    def __init__(self, key: str, namespace: str, before: str = "") -> None:
        self.namespace = namespace
        name = before + namespace
        self.base = _utf8(f"{key}#{name}#")
        self.pattern = _SPECIAL.sub(rb"\\\g<0>", self.base) + b"*"
        self.request = _utf8(f"{key}-request#{name}#")
        self.response = _utf8(f"{key}-response#{name}#")
        self.ask = _utf8(f"{key}-request#ask{namespace}#")
        self.answer = _utf8(f"{key}-response#ask{namespace}#")

    def room(self, room: str) -> bytes:
        """Return the channel of broadcasts to one room."""
        return b"%b%b#" % (self.base, _utf8(room))

    def broadcast(self, rooms: Collection[str]) -> bytes:
        """Return the channel of a broadcast: the room's if there is exactly one, else `base`."""
        if len(rooms) != 1:
            return self.base
        (room,) = rooms
        return self.room(room)

    def room_of(self, channel: bytes) -> str | None:
        """Return which room a channel is for, the inverse of `room`.

        Returns:
            The room; `""` for `base`; `None` for a channel of anything else.
        """
        base = self.base
        if not channel.startswith(base):
            return None
        rest = channel[len(base) :]
        if not rest:
            return ""
        if not rest.endswith(b"#"):
            return None
        try:
            return rest[:-1].decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return None

    def __repr__(self) -> str:
        return f"<Channels {self.base!r}>"


def _utf8(name: str) -> bytes:
    return name.encode("utf-8", "surrogatepass")
