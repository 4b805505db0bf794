"""The root of the error tree, and its protocol branch.

    SocketIOError
     └─ ProtocolError
         ├─ LocalProtocolError     the application sends something that cannot be encoded
         └─ RemoteProtocolError    the peer sent something that the protocol does not allow

The errors of HTTP bodies are in `trio_sio.protocol.http.errors`. The whole tree is drawn in
`trio_sio.exceptions`, which has the errors that need Trio.
"""


class SocketIOError(Exception):
    """The base of everything that trio_sio raises on purpose."""


class ProtocolError(SocketIOError):
    """A violation of Engine.IO 3 or Socket.IO 4; the subclass says by which side."""


class LocalProtocolError(ProtocolError):
    """The application sends something that the protocol cannot encode."""


class RemoteProtocolError(ProtocolError):
    """The peer violated the protocol.

    Args:
        message: what the reference server calls it, such as "invalid payload".
        hint: a sentence for the log: what was seen, and what would have been accepted.
    """

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.args[0]}: {self.hint}" if self.hint else str(self.args[0])
