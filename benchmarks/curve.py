"""The memory of a server over a run, while one client does not read and after it has gone."""

from dataclasses import dataclass, field


@dataclass
class Curve:
    """The memory of one server, in bytes above what it was when the slow client stopped.

    Attributes:
        name: the server's.
        before: bytes that it had then.
        sent: by megabytes that had come to each of the others.
        after: by seconds since the slow client was closed.
        seconds: what it took.
    """

    name: str
    before: int
    sent: list[tuple[float, int]] = field(default_factory=list)
    after: list[tuple[float, int]] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def rise(self) -> int:
        """The most that it was."""
        return max((size for _, size in self.sent), default=0)

    @property
    def left(self) -> int:
        """What is left of that at the end."""
        return self.after[-1][1]
