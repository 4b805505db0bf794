"""A server, as a factory of adapters sees it."""

from trio_sio.logs.throttle import LogThrottle


class Host:
    """Keeps what functions of the application raise.

    Attributes:
        log: writes all lines, as its interval is 0.
        reported: the errors, and the lines about them.
    """

    def __init__(self) -> None:
        self.log = LogThrottle(interval=0)
        self.reported: list[tuple[BaseException, str]] = []

    def report(self, error: BaseException, line: str, *args: object) -> None:
        self.reported.append((error, line % args))
