"""What the kernel means when a stream socket neither reads nor writes.

Only some errors are the end of a connection. Others pass, and a connection that survives them must
not lose a byte: whatever was not taken is offered again.
"""

import errno
from enum import Enum


class Meaning(Enum):
    """What an error says about the connection."""

    NOT_READY = "not ready"
    """Nothing can be read or written now; waiting for the socket tells when that changes."""
    NO_MEMORY = "no memory"
    """The kernel has no memory to spare now; no event tells when it has."""
    END = "end"
    """Nothing more will go this way."""


MEANINGS = {
    errno.EAGAIN: Meaning.NOT_READY,
    errno.EWOULDBLOCK: Meaning.NOT_READY,
    errno.EINTR: Meaning.NOT_READY,
    errno.ENOBUFS: Meaning.NO_MEMORY,
    errno.ENOMEM: Meaning.NO_MEMORY,
    errno.EPIPE: Meaning.END,
    errno.ECONNRESET: Meaning.END,
    errno.ECONNABORTED: Meaning.END,
    errno.ESHUTDOWN: Meaning.END,
    errno.ENOTCONN: Meaning.END,
    errno.EBADF: Meaning.END,
    errno.ETIMEDOUT: Meaning.END,
    # What routers have said while TCP tried in vain, told when it gave up.
    errno.EHOSTUNREACH: Meaning.END,
    errno.ENETUNREACH: Meaning.END,
    errno.ENETDOWN: Meaning.END,
    errno.ENETRESET: Meaning.END,
}


def meaning(error: OSError) -> Meaning:
    """Return what an error of a stream socket means.

    An error that is not in the table is the end: a connection that may have lost bytes is worse
    than one that has ended.
    """
    return MEANINGS.get(error.errno or 0, Meaning.END)
