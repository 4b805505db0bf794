"""Reads what a proxy writes before a connection's own bytes (option `proxy_protocol`)."""

import logging
from collections.abc import Callable

import trio

from trio_sio.logs import shown
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.http.proxy_header import ProxiedPeer, ProxyHeaderError, read_header

logger = logging.getLogger("trio_sio.engine")


async def read_peer(
    stream: trio.abc.Stream,
    address: str,
    patience: float,
    log: LogThrottle,
    count_limit: Callable[[str], None],
) -> ProxiedPeer | None:
    """Read the header of a connection; close it and return `None` if there is none.

    Args:
        stream: the connection; below TLS is read, whose handshake has not begun.
        address: the proxy's own, for the log.
        patience: seconds that the proxy gets (option `head_timeout`).
        log: where a refusal is told.
        count_limit: is told of a timeout, by the option's name.
    """
    below: trio.abc.Stream = stream
    if isinstance(stream, trio.SSLStream):
        below = stream.transport_stream
    problem = f"there was none within {patience:g} s (head_timeout)"
    found = None
    with trio.move_on_after(patience) as scope:
        try:
            found = await _read(below)
            return found
        except ProxyHeaderError as error:
            problem = str(error)
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            problem = ""
        finally:
            if found is None:
                await trio.aclose_forcefully(below)
    if scope.cancelled_caught:
        count_limit("head_timeout")
    if problem:
        where = shown.printable(address, 60) or "a peer without an address"
        text = (
            "closed a connection from %s: option 'proxy_protocol' is set, but %s; does the proxy"
            " send it, as HAProxy with 'send-proxy'?"
        )
        log.tell(logger, logging.WARNING, "proxy_protocol", text, where, problem)
    return None


async def _read(stream: trio.abc.Stream) -> ProxiedPeer:
    data = b""
    while isinstance(found := read_header(data), int):
        more = await stream.receive_some(found)
        if not more:
            raise ProxyHeaderError("it ended before the header of the PROXY protocol was complete")
        data += more
    return found
