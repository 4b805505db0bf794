"""The options of `Engine` that everybody needs: where it answers, who may come, and how."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Literal, get_args

from trio_sio.abc import WebApplication
from trio_sio.http import Request, Response
from trio_sio.options import checks
from trio_sio.options.cors import CORSOption, check_cors
from trio_sio.options.declaration import Group, Options, frozen, option

AllowHeaders = str | Collection[str]
"""The name of a header field, several, or `"*"` for any."""

Origins = str | Collection[str] | Callable[[str], Awaitable[bool] | bool]
"""`"*"`, one origin, several, or a function that is called with the origin of each request."""

TransportName = Literal["polling", "websocket"]
TRANSPORTS: tuple[TransportName, ...] = get_args(TransportName)

Protocol = Literal[3, 4]
PROTOCOLS: tuple[Protocol, ...] = get_args(Protocol)


@frozen(kw_only=True)
class BasicOptions(Options):
    """What an engine is told by nearly every application; `EngineOptions` has the rest."""

    path: str = option("/engine.io", checks.url_path, Group.BASICS)
    """The URL path at which the server answers."""

    add_trailing_slash: bool = option(True, checks.flag, Group.BASICS)
    """Answers at `path` with a slash behind it; `False` for the path as it is, too.

    `False` is for clients with `addTrailingSlash: false`, which ask for `/socket.io?EIO=4`.
    """

    serve_client: bool | Path | str = option(False, checks.flag_or_folder, Group.BASICS)
    """Serves the browser clients under `path`; a folder to serve them from, or `False`.

    `socket.io.js` is 2.5.0's, `socket.io.min.js` is 4.8.4's; with `"4"` both are 4.8.4's.
    """

    origins: Origins = option("*", checks.origins, Group.BASICS)
    """The origins that may connect: `"*"` for every web site, one, several, or a function.

    Every request is checked. A refused client is told which origins are allowed. A function,
    async or not, gets the origin and returns a bool, or raises `RequestRefused`.
    """

    allow_headers: AllowHeaders = option((), checks.field_names, Group.BASICS)
    """Header fields that pages of other origins may send; `"*"` for any.

    `["Authorization"]`, for example, if the client's `extraHeaders` has it. If none is named,
    clients of Socket.IO 3.x and 4.x may send any, as to their own servers.
    """

    cors: CORSOption = option(None, check_cors, Group.BASICS)
    """The CORS fields of responses, in place of those that echo each accepted origin.

    A dict with some of `origin`, `methods`, `allowed_headers`, `exposed_headers`, `credentials` and
    `max_age` (seconds), which mean what they mean to the npm package `cors`, that of socket.io 4.
    `origin` is `"*"`, one origin, several, of which some may be compiled patterns, `True` for
    whichever asks, or `False` for no fields at all. It only says what pages may read: who may
    connect is up to `origins`, which `cors` does not change.
    """

    allow_request: Callable[[Request], Awaitable[object] | object] | None = option(
        None, checks.function, Group.BASICS
    )
    """`async def (request)`, decides about each handshake in place of `origins`.

    It raises `RequestRefused`, or returns something false, to refuse. `None`, as of a function that
    returns nothing, lets the client in. It need not be async.
    """

    generate_id: Callable[[Request], Awaitable[str] | str] | None = option(
        None, checks.function, Group.BASICS
    )
    """`(request) -> str`, async or not: makes the ids of sessions; `None` for random ones.

    These ids are used as they are, without `node_id`.
    """

    fallback: Callable[[Request], Awaitable[Response]] | WebApplication | None = option(
        None, checks.function_or_application, Group.BASICS
    )
    """`async def (request) -> Response`, answers requests for other paths; `None` for a 404.

    Or a `trio_sio.abc.WebApplication`, as `trio_sio.asgi.Fallback(app)` makes one of an ASGI
    application. If the request of a function has no body, the call is cancelled when the client
    closes its connection.
    """

    transports: Sequence[TransportName] = option(TRANSPORTS, checks.words(TRANSPORTS), Group.BASICS)
    """The transports that clients may use."""

    protocols: Collection[Protocol] = option(PROTOCOLS, checks.numbers(PROTOCOLS), Group.BASICS)
    """The revisions of Engine.IO that clients may speak.

    3 is that of Socket.IO 1.x and 2.x, 4 that of 3.x and 4.x.
    """

    protocol_of: Callable[[Request], int | None] | None = option(
        None, checks.plain_function, Group.BASICS
    )
    """`def (request)`, says which revision the client of a handshake really speaks: 3 or 4.

    For clients that say `EIO=4` and speak 3; `None` leaves it to what they say; not async.
    """

    allow_upgrades: bool = option(True, checks.flag, Group.BASICS)
    """Tells polling clients that they may upgrade to WebSocket."""

    raise_errors: bool = option(False, checks.flag, Group.BASICS)
    """Lets errors of handlers out of the server, instead of only logging them."""
