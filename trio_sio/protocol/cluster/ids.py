"""Ids of servers and of requests: six letters and digits, as socket.io-redis makes them.

There are 56,800,235,584 of them. Two servers with one id would ignore each other's broadcasts;
among a thousand servers, that happens once in 100,000 starts of the cluster.
"""

from collections.abc import Callable

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
LENGTH = 6

EMITTER = "emitter"
"""The id of all emitters. It has seven letters, so no server has it by chance."""

_RANDOM_BYTES = 8
"""2**64 / 62**6 is large: no id is more probable than another by more than 1 in 10**8."""


def new_id(random_bytes: Callable[[int], bytes]) -> str:
    """Return an id.

    Args:
        random_bytes: returns that many random bytes, as `os.urandom` does.
    """
    number = int.from_bytes(random_bytes(_RANDOM_BYTES), "big")
    letters = []
    for _ in range(LENGTH):
        number, place = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[place])
    return "".join(letters)
