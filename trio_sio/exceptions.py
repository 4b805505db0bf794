"""Everything that trio_sio raises on purpose.

    SocketIOError
     ├─ Disconnected (also trio.BrokenResourceError)   the peer is gone; `.reason`
     ├─ LimitReached(message, option, limit)           one client would have too much of it
     ├─ ConnectionRefused(message, data=None)          raise in namespace middleware
     ├─ PacketRefused(message, data=None)              raise in packet middleware
     ├─ RequestRefused(message, code=None)             raise in allow_request or origins
     └─ ProtocolError
         ├─ LocalProtocolError                         what was to be sent cannot be said
         └─ RemoteProtocolError(message, hint)         what was received is not allowed

Waiting too long for an answer is `trio.TooSlowError`, as everywhere in Trio; a full outbox is
`trio.WouldBlock` for the `_nowait` verbs.
"""

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.protocol.errors import (
    LocalProtocolError as LocalProtocolError,
    ProtocolError as ProtocolError,
    RemoteProtocolError as RemoteProtocolError,
    SocketIOError as SocketIOError,
)
from trio_sio.protocol.socketio.packet import JSON


class Disconnected(SocketIOError, trio.BrokenResourceError):
    """The socket or session is gone, or goes while one waits for it.

    Attributes:
        reason: why it ended, if that is known.
    """

    def __init__(self, reason: DisconnectReason | None = None) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason) if self.reason else "disconnected"


class LimitReached(SocketIOError):
    """The application is about to keep more for one client than an option allows.

    Attributes:
        option: the option.
        limit: its value.
    """

    def __init__(self, message: str, option: str, limit: int) -> None:
        super().__init__(f"{message} ({option} is {limit})")
        self.option = option
        self.limit = limit


class Refused(SocketIOError):
    """What middleware raises to refuse; the client gets `data`, or `message` without it.

    Args:
        message: the text for the client.
        data: what to send in place of the text (JS: `err.data`).

    Raises:
        TypeError: the message is no str.
    """

    def __init__(self, message: str = "", data: JSON = None) -> None:
        _check_message(self, message)
        super().__init__(message)
        self.message = message
        self.data = data

    @property
    def answer(self) -> JSON:
        """The data of the ERROR packet: `data`, or `message` if `data` is falsy, as in JS."""
        return self.data or self.message


class ConnectionRefused(Refused):
    """Raise it in namespace middleware: the client may not join (JS: `next(new Error(…))`)."""


class PacketRefused(Refused):
    """Raise it in packet middleware: this event is not handled, and the client is told."""


class RequestRefused(SocketIOError):
    """Raise it in `allow_request` or an `origins` function: the handshake is refused.

    Args:
        message: the text for the client; "Forbidden" if it is empty.
        code: one of the Engine.IO error codes 0 to 5, which then brings its own text.

    Raises:
        TypeError: the message is no str, or the code no int.
        ValueError: there is no such code.
    """

    def __init__(self, message: str = "", code: int | None = None) -> None:
        _check_message(self, message)
        if code is not None:
            _check_code(code)
        super().__init__(message)
        self.message = message
        self.code = code


def _check_message(error: SocketIOError, message: object) -> None:
    if not isinstance(message, str):
        hint = "; a number goes into code=…" if isinstance(error, RequestRefused) else ""
        raise TypeError(
            f"the message of {type(error).__name__} must be a str, not {message!r}{hint}"
        )


def _check_code(code: object) -> None:
    if isinstance(code, bool) or not isinstance(code, int):
        raise TypeError(f"the code of RequestRefused must be a number, not {code!r}")
    if code not in list(ErrorCode):
        known = ", ".join(f"{one.value} ({one.message})" for one in ErrorCode)
        raise ValueError(f"the code of RequestRefused must be one of {known}, not {code!r}")
