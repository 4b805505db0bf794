"""The root of the error tree, and its protocol branch.

    SocketIOError
     └─ ProtocolError
         ├─ LocalProtocolError     our side asked for something the protocol cannot say
         └─ RemoteProtocolError    the peer said something the protocol does not allow

The rest of the tree needs Trio and stands in `trio_sio.exceptions`.
"""


class SocketIOError(Exception):
    """The base of everything that trio_sio raises on purpose."""


class ProtocolError(SocketIOError):
    """Engine.IO 3 or Socket.IO 4 was broken; see the two subclasses for by whom."""


class LocalProtocolError(ProtocolError):
    """The application asked for something that cannot be said on the wire."""


class RemoteProtocolError(ProtocolError):
    """The peer broke the protocol.

    Args:
        message: what the reference server calls it, such as "invalid payload".
        hint: a sentence for the log: what was seen, and what would have been accepted.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.hint}" if self.hint else str(self.args[0])
