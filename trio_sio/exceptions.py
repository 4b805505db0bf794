"""Everything that trio_sio raises on purpose.

    SocketIOError
     ├─ Disconnected (also trio.BrokenResourceError)   the client is gone; `.reason`
     ├─ LimitReached(message, option, limit)           the application exceeds a limit of one client
     ├─ NoAnswer (also trio.TooSlowError)              another server of the cluster did not answer
     ├─ MissingAnswers (also trio.TooSlowError)        not all sockets of a room answered a call
     ├─ ClientError(message)                           passed to "error" handlers: an ERROR packet
     ├─ WrongArguments (also TypeError)                the same: its handler takes others
     ├─ Refused(message, data=None)
     │   ├─ ConnectionRefused                          raise in namespace middleware
     │   └─ PacketRefused                              raise in packet middleware
     ├─ RequestRefused(message, code=None)             raise in allow_request or origins
     ├─ BodyError                                      from `request.body`; `.status` to answer with
     │   ├─ BodyTooLarge                               413
     │   ├─ BodyTooSlow                                408
     │   └─ InvalidBody                                400 or 431
     └─ ProtocolError
         ├─ LocalProtocolError                         what the application sends cannot be encoded
         └─ RemoteProtocolError(message, hint)         what the client sent is not allowed

An acknowledgement that takes too long is `trio.TooSlowError`, as everywhere in Trio; a full outbox
is `trio.WouldBlock` for the `_nowait` verbs. A wrong argument is a `TypeError` or `ValueError`.
What only passes between parts of the server, as `trio_sio.abc.TransportClosed`, is not in the tree.
"""

from collections.abc import Sequence
from typing import Any

import trio

from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.protocol.errors import (
    LocalProtocolError as LocalProtocolError,
    ProtocolError as ProtocolError,
    RemoteProtocolError as RemoteProtocolError,
    SocketIOError as SocketIOError,
)
from trio_sio.protocol.http.errors import (
    BodyError as BodyError,
    BodyTooLarge as BodyTooLarge,
    BodyTooSlow as BodyTooSlow,
    InvalidBody as InvalidBody,
)
from trio_sio.protocol.socketio.packet import JSON

SHOWN_NAMES = 10
"""How many of those who are missing a message names."""


class Disconnected(SocketIOError, trio.BrokenResourceError):
    """The socket or session has ended, or ends while somebody waits for it.

    Attributes:
        reason: why it ended; `None` if that is not known.
    """

    def __init__(self, reason: DisconnectReason | None = None) -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return str(self.reason) if self.reason else "disconnected"


class LimitReached(SocketIOError):
    """The application would exceed a limit of one client; nothing has been changed.

    Attributes:
        option: the name of the option that sets the limit.
        limit: its value.
    """

    def __init__(self, message: str, option: str, limit: int) -> None:
        super().__init__(f"{message} ({option} is {limit})")
        self.option = option
        self.limit = limit


class NoAnswer(SocketIOError, trio.TooSlowError):
    """A request to the other servers of a cluster was not answered, or not by all of them.

    Args:
        message: what was waited for.
        replies: what has arrived.
        missing: the servers that have not answered, as names for people, as far as known.

    Attributes:
        replies, missing: the same.
    """

    def __init__(
        self, message: str, replies: Sequence[JSON] = (), missing: Sequence[str] = ()
    ) -> None:
        super().__init__(f"{message} (missing: {', '.join(missing)})" if missing else message)
        self.replies = list(replies)
        self.missing = tuple(missing)


class MissingAnswers(SocketIOError, trio.TooSlowError):
    """Not all of the sockets that were asked by `call` have answered in time.

    Args:
        answers: what has arrived.
        missing: who has not answered.

    Attributes:
        answers: the same.
        missing: ids of sockets; and of servers that have not said which sockets they have asked,
            names for people. Empty if nobody could be asked in time.
    """

    def __init__(self, answers: Sequence[Any] = (), missing: Sequence[str] = ()) -> None:
        names = [*missing[:SHOWN_NAMES], *(["…"] if len(missing) > SHOWN_NAMES else ())]
        count = f"{len(missing)} of {len(missing) + len(answers)} answers are missing"
        super().__init__(f"{count}: {', '.join(names)}" if names else "there was no time to ask")
        self.answers = list(answers)
        self.missing = tuple(missing)


class ClientError(SocketIOError):
    """What a client sent in an ERROR packet; "error" handlers get it, and it is not logged."""


class WrongArguments(SocketIOError, TypeError):
    """A client sent another number of arguments than the event's handler takes, or of other types.

    It is passed to "error" handlers and logged as a warning. Clients can send any number, so this
    ends nothing, with `raise_errors` neither.
    """


class Refused(SocketIOError):
    """The base of what middleware raises to refuse.

    Args:
        message: what the client is told.
        data: sent to the client in place of the message (JS: `err.data`).

    Raises:
        TypeError: `message` is not a str.
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
    """Raise it in namespace middleware to keep a client out (JS: `next(new Error(…))`)."""


class PacketRefused(Refused):
    """Raise it in packet middleware to drop an event and tell the client."""


class RequestRefused(SocketIOError):
    """Raise it in `allow_request` or in an `origins` function to refuse a handshake.

    Args:
        message: what the client is told; "Forbidden" if it is empty.
        code: an Engine.IO error code, 0 to 5, whose own message the client is told.

    Raises:
        TypeError: `message` is not a str, or `code` not an int.
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
