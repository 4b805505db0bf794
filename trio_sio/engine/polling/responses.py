"""The responses of polling: what carries packets, what tells that a POST was taken, the cookie."""

from collections.abc import Awaitable, Callable
from functools import partial
from urllib.parse import quote

from trio_sio.engine.http.cors import CORS
from trio_sio.engine.polling.compression import choose
from trio_sio.engine.polling.shared_bodies import SHORT, Batch, SharedBodies, is_short
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.timers import Timers
from trio_sio.http import EngineResponse, Request, Response
from trio_sio.options import EngineOptions, compression_level, compression_threshold
from trio_sio.protocol.encoded import Encoded

BINARY = "application/octet-stream"
"""The Content-Type of a binary body, in either direction."""

_SAFE = "-_.!~*'()"
"""What JavaScript's encodeURIComponent leaves as it is, besides letters and digits."""


class PollResponses:
    """Makes the responses for one engine's polling sessions.

    Args:
        options: `http_compression`.
        timers: of the engine.
        turn: awaited before each piece of work on a long body.
        cors: makes the fields for pages of other origins.
    """

    def __init__(
        self,
        options: EngineOptions,
        timers: Timers,
        turn: Callable[[], Awaitable[object]],
        cors: CORS,
    ) -> None:
        self._cors = cors
        self._threshold = compression_threshold(options.http_compression)
        self._vary = "Origin" if self._threshold is None else "Origin, Accept-Encoding"
        level = compression_level(options.http_compression)
        self._bodies = SharedBodies(timers, turn, level)

    def find(
        self,
        request: Request,
        transport: PollingTransport,
        items: list[Encoded],
        *,
        initial: bool = False,
    ) -> Response | None:
        """Return the response that carries packets; `None` if its body takes long to make.

        Args:
            request: the request.
            transport: the client's.
            items: the packets.
            initial: whether it answers the handshake.
        """
        form = transport.form
        is_binary = form.is_binary(items)
        batch: Batch | None = None
        body: bytes | None
        short = is_short(items) if items[1:] else items[0].size < SHORT
        if short:
            body = form.encode(items, is_binary=is_binary)
        else:
            batch = Batch(tuple(items), form)
            body = self._bodies.find(batch)
        if body is None:
            return None
        encoding = self._encoding(request, items, body)
        if encoding is not None:
            batch = batch or Batch(tuple(items), form)
            body = self._bodies.find(batch._replace(encoding=encoding))
            if body is None:
                return None
        return self._response(request, transport, items, body, is_binary, encoding, initial)

    async def make(
        self,
        request: Request,
        transport: PollingTransport,
        items: list[Encoded],
        *,
        initial: bool = False,
    ) -> Response:
        """Return the response that carries packets, however long that takes; as `find`."""
        form = transport.form
        is_binary = form.is_binary(items)
        batch = Batch(tuple(items), form)
        encode = partial(form.encode, items, is_binary=is_binary)
        body = await self._bodies.join(batch, encode)
        encoding = self._encoding(request, items, body)
        if encoding is not None:
            body = await self._bodies.compress(batch._replace(encoding=encoding), body)
        return self._response(request, transport, items, body, is_binary, encoding, initial)

    def _encoding(self, request: Request, items: list[Encoded], body: bytes) -> str | None:
        """Return how a body is to be compressed, `None` if it is not."""
        if self._threshold is None or len(body) < self._threshold:
            return None
        encoding = choose(request.headers.get("accept-encoding"))
        return encoding if any(item.compress for item in items) else None

    def _response(
        self,
        request: Request,
        transport: PollingTransport,
        items: list[Encoded],
        body: bytes,
        is_binary: bool,
        encoding: str | None,
        initial: bool,
    ) -> Response:
        if transport.wire is not None:
            transport.wire.outgoing(transport.name, items)
        kind = BINARY if is_binary else "text/plain; charset=UTF-8"
        headers = [("Content-Type", kind), *self._cors.headers(request, self._vary)]
        if initial or transport.form.version.repeats_cookie:
            headers += transport.cookie
        agent = request.headers.get("user-agent")
        if ";MSIE" in agent or "Trident/" in agent:
            headers.append(("X-XSS-Protection", "0"))
        if encoding is not None:
            headers.append(("Content-Encoding", encoding))
        return EngineResponse(200, headers, body)


def set_cookie(
    options: EngineOptions, sid: str, protocol: int, *, by_tls: bool
) -> list[tuple[str, str]]:
    """Return the `Set-Cookie` field for a session, or nothing if cookies are off.

    The cookie lets a load balancer send a client's requests to the same server. It carries the
    session id and is never read by this server. As in socket.io 2.5 it comes with each response of
    polling, in Engine.IO 4 with the first one, and never with the 101 of a WebSocket.

    Args:
        options: `cookie`, and those that begin with `cookie_`.
        sid: the session's id.
        protocol: the revision of Engine.IO that the client speaks.
        by_tls: whether the request came by TLS; so will those to which the cookie belongs.
    """
    cookie = options.cookie_for(protocol)
    if cookie is None:
        return []
    value = cookie.field(quote(sid, safe=_SAFE), by_tls=by_tls)
    return [("Set-Cookie", value)]
