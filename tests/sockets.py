"""Connections of the operating system's, for tests that are otherwise in memory."""

import trio


def socket_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Make a connection on which the server takes its short cuts.

    What one end sends the other can read at once, so a clock that jumps does not jump over it.
    """
    ours, theirs = trio.socket.socketpair()
    return trio.SocketStream(ours), trio.SocketStream(theirs)
