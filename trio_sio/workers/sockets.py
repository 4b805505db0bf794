"""The sockets on which workers listen: those that they share, and one of its own for each."""

import errno
import os
import socket
import stat
from contextlib import ExitStack, suppress

BACKLOG = 65535
"""Connections that may wait to be accepted, as for Trio's listeners; the kernel allows fewer."""

PRIVATE_HOST = "127.0.0.1"


def open_sockets(port: int, host: str | None = None) -> list[socket.socket]:
    """Open sockets that listen on a port, for `run(main, sockets=…)`.

    Args:
        port: the port, 0 for any free one.
        host: the address to listen on, `None` for all.

    Returns:
        One socket for each address of the host, all with the same port.

    Raises:
        OSError: the port is taken or not allowed, or there is no such host.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    addresses = list(dict.fromkeys((family, address) for family, _, _, _, address in found))
    opened: list[socket.socket] = []
    with ExitStack() as stack:
        for family, address in addresses:
            there = (address[0], port, *address[2:])
            one = _listening(family, there)
            if one is not None:
                opened.append(stack.enter_context(one))
                port = one.getsockname()[1]
        if not opened:
            raise OSError(errno.EAFNOSUPPORT, f"no address of {host!r} is supported here")
        stack.pop_all()
    return opened


def open_private_socket(where: int | str, node_id: str) -> socket.socket:
    """Open the socket that one worker has alone.

    Args:
        where: the port on 127.0.0.1, 0 for any free one; or the path of a Unix socket.
        node_id: takes the place of `{node}` in a path.

    Raises:
        OSError: the port or the path is taken or not allowed.
    """
    if isinstance(where, int):
        return open_sockets(where, PRIVATE_HOST)[0]
    path = where.replace("{node}", node_id)
    _remove_stale(path)
    return _bound(socket.AF_UNIX, path)


def close_private_socket(private: socket.socket) -> None:
    """Close a worker's own socket, and remove its path if it has one."""
    name = private.getsockname()
    private.close()
    if isinstance(name, str) and name:
        with suppress(FileNotFoundError):
            os.unlink(name)


def _listening(family: int, address: tuple[object, ...]) -> socket.socket | None:
    """Return a socket that listens; `None` if the system lacks this kind of address."""
    try:
        return _bound(family, address)
    except OSError as error:
        if error.errno == errno.EAFNOSUPPORT:
            return None
        raise


def _bound(family: int, address: tuple[object, ...] | str) -> socket.socket:
    with ExitStack() as stack:
        one = stack.enter_context(socket.socket(family, socket.SOCK_STREAM))
        if family != socket.AF_UNIX:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
        one.listen(BACKLOG)
        stack.pop_all()
    return one


def _remove_stale(path: str) -> None:
    """Remove a Unix socket on which nobody listens any more."""
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(os.stat(path).st_mode):
            raise OSError(errno.EEXIST, f"{path} is there already, and is no socket")
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(path)
            except ConnectionRefusedError:
                os.unlink(path)
            else:
                raise OSError(errno.EADDRINUSE, f"another process listens on {path}")
