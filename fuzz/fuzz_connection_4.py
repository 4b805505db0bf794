"""Any bytes of clients of Engine.IO 4 are answered or the connection is closed, as with those of 3.

The input is a program, and what has to hold is that of `fuzz.fuzz_connection`: nothing is raised,
no error is logged, another client still gets its answers, and nothing is left behind.
"""

from collections.abc import Hashable

from fuzz import harness
from fuzz.fuzz_connection import play

NAME = "connection_4"


def fuzz(data: bytes) -> Hashable:
    """Run a program; the outcome is the statuses of the responses, and what the server did."""
    return play(data, 4)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
