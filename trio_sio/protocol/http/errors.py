"""What can be wrong with the body of a request."""


class BodyTooLarge(Exception):
    """A request's body is larger than its reader allows; no more than that was kept.

    Attributes:
        status: of the answer.
        size: bytes announced or, at least, received.
        limit: bytes allowed.
    """

    status = 413

    def __init__(self, size: int, limit: int) -> None:
        super().__init__(f"a body of {size} bytes; {limit} are allowed")
        self.size = size
        self.limit = limit


class InvalidBody(Exception):
    """A request's body is not what its head says it is.

    Attributes:
        status: of the answer, 400 or 431.
        option: the limit that it goes beyond, `""` if it is something else.
        limit: the value of that option.
    """

    def __init__(
        self, text: str, status: int = 400, option: str = "", limit: int | None = None
    ) -> None:
        super().__init__(text)
        self.status = status
        self.option = option
        self.limit = limit


class BodyTooSlow(Exception):
    """A request's body took too long to come.

    Attributes:
        status: of the answer.
        limit: seconds that it may take (option `body_timeout`).
    """

    status = 408

    def __init__(self, limit: float) -> None:
        super().__init__(f"a body may take {limit} s (body_timeout)")
        self.limit = limit
