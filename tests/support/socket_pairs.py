"""Connections of the operating system's, for tests that are otherwise in memory."""

import ssl
from functools import cache

import trio
import trustme

NAME = "wire.test"


def socket_pair() -> tuple[trio.SocketStream, trio.SocketStream]:
    """Make a connection on which the server takes its short cuts.

    What one end sends the other can read at once, so a clock that jumps does not jump over it.
    """
    ours, theirs = trio.socket.socketpair()
    return trio.SocketStream(ours), trio.SocketStream(theirs)


@cache
def _contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The client's and the server's."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(NAME).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return client, server


def tls_pair() -> tuple[trio.SSLStream[trio.SocketStream], trio.SSLStream[trio.SocketStream]]:
    """Make the same with TLS on it; each end does its handshake when it is first used."""
    ours, theirs = socket_pair()
    client, server = _contexts()
    return (
        trio.SSLStream(ours, client, server_hostname=NAME, https_compatible=True),
        trio.SSLStream(theirs, server, server_side=True, https_compatible=True),
    )
