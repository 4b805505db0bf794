"""Accepts connections, and says where, as one would type it into a browser."""

import errno
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, NoReturn, TypeVar

import trio

from trio_sio.http import Ends

logger = logging.getLogger("trio_sio.engine")

ListenerT = TypeVar("ListenerT", bound=trio.abc.Listener[Any])

CAPACITY_PAUSE = 0.1
"""Seconds before a listener accepts again, when the system has no descriptors or memory for more
connections."""

_CAPACITY = {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ENOBUFS}

EVERY_INTERFACE = ("0.0.0.0", "::")
"""What a listener's address is when it listens on all of the machine."""


async def accept_forever(
    listeners: Sequence[ListenerT],
    start: Callable[[trio.abc.Stream], object],
    task_status: trio.TaskStatus[Sequence[ListenerT]] = trio.TASK_STATUS_IGNORED,
) -> NoReturn:
    """Accept connections, and start something for each of them.

    As `trio.serve_listeners`, but a stream outlives the task that is started for it, if that has
    handed it over. So whoever has a stream has to close it.

    Args:
        listeners: where to accept; they are closed at the end.
        start: is given each stream; it does not wait.
        task_status: for `nursery.start`, which returns the listeners.

    Raises:
        OSError: a listener is broken.
    """
    async with trio.open_nursery() as nursery:
        for listener in listeners:
            nursery.start_soon(_accept_forever, listener, start)
        task_status.started(listeners)
    raise AssertionError("listeners accept until they are cancelled")


async def _accept_forever(
    listener: trio.abc.Listener[Any], start: Callable[[trio.abc.Stream], object]
) -> NoReturn:
    async with listener:
        while True:
            try:
                stream = await listener.accept()
            except OSError as error:
                if error.errno not in _CAPACITY:
                    raise
                text = "no more connections can be accepted at present: %s"
                logger.error(text, os.strerror(error.errno))
                await trio.sleep(CAPACITY_PAUSE)
            else:
                start(stream)


def urls_of(listeners: Iterable[trio.abc.Listener[Any]], path: str) -> Iterator[str]:
    """Yield the URLs of listeners that have a TCP port, each once.

    Args:
        listeners: TCP, TLS over it, or others, which have no URL.
        path: option `path`.
    """
    seen = set()
    for listener in listeners:
        secure = isinstance(listener, trio.SSLListener)
        below: object = getattr(listener, "transport_listener", listener)
        if not isinstance(below, trio.SocketListener):
            continue
        name = below.socket.getsockname()
        if isinstance(name, tuple):
            url = url_of(name[0], name[1], secure=secure) + path
            if url not in seen:
                seen.add(url)
                yield url


def url_of(address: str, port: int, *, secure: bool) -> str:
    """Return the URL of an address, without a path."""
    host = f"[{address}]" if ":" in address else address
    if address in EVERY_INTERFACE:
        host = "localhost"
    return f"{'https' if secure else 'http'}://{host}:{port}"


def ends_of(stream: trio.abc.Stream) -> Ends:
    """Return the addresses of the peer and of this end, as far as there are any."""
    below: object = stream.transport_stream if isinstance(stream, trio.SSLStream) else stream
    if not isinstance(below, trio.SocketStream):
        return Ends()
    try:
        own = below.socket.getsockname()
        peer = below.socket.getpeername()
    except OSError:  # it has gone already
        return Ends()
    if isinstance(own, tuple) and isinstance(peer, tuple):  # else Unix sockets
        return Ends(str(peer[0]), int(peer[1]), (str(own[0]), int(own[1])))
    return Ends(local=(os.fsdecode(own), None) if own else None)
