"""A line that is made wrong, so that something has to find it."""

from pathlib import Path
from typing import NamedTuple


class Fault(NamedTuple):
    """A line that is wrong, and the check that has to find it.

    Attributes:
        what: what the server does then.
        file: in the package, or in `node_modules`.
        right: what the line has.
        wrong: what it gets instead.
        check: the name of the check.
        protocol: the revision of Socket.IO in which it is played.
    """

    what: str
    file: str
    right: str
    wrong: str
    check: str
    protocol: int = 4

    def seed(self, folder: Path) -> None:
        """Replace the line in a copy."""
        path = folder / self.file
        text = path.read_text("utf-8")
        assert text.count(self.right) == 1, "the line has changed: seed another fault"
        path.write_text(text.replace(self.right, self.wrong), "utf-8")
