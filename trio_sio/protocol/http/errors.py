"""The errors of a request's body.

BodyError (a SocketIOError)
 ├─ BodyTooLarge
 ├─ BodyTooSlow
 └─ InvalidBody
"""

from trio_sio.protocol.errors import SocketIOError


class BodyError(SocketIOError):
    """A request's body cannot be read, by the client's fault.

    Attributes:
        status: the HTTP status to respond with.
    """

    status: int


class BodyTooLarge(BodyError):
    """A request's body is larger than its reader allows; no more than that was kept.

    Attributes:
        status: 413.
        size: its bytes, if they were announced; else those received so far.
        limit: bytes allowed.
    """

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a body of {size} bytes; {limit} are allowed")
        self.size = size
        self.limit = limit


class InvalidBody(BodyError):
    """A request's body is not what its head says it is.

    Attributes:
        status: 400 or 431.
        option: the option whose limit it exceeds, `""` if it is something else.
        limit: the value of that option.
    """

    def __init__(
        self, text: str, status: int = 400, option: str = "", limit: int | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.option = option
        self.limit = limit


class BodyTooSlow(BodyError):
    """A request's body took too long to come.

    Attributes:
        status: 408.
        limit: seconds that it may take (option `body_timeout`).
    """

    status = 408

    def __init__(self, limit: float) -> None:
        super().__init__(f"a body may take {limit} s (body_timeout)")
        self.limit = limit
