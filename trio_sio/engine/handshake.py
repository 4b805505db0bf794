"""How a session begins: what the application says of it, its id, and its first packet.

The application is asked by the functions that options name: `origins`, `allow_request` and
`generate_id`. Each may be async. Then its client is watched while it thinks, and it has
`handshake_timeout` seconds.
"""

import inspect
import logging
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeVar

import trio

from trio_sio.engine.http import cors
from trio_sio.engine.http.responder import Responder, fault_of_client, unless_hung_up
from trio_sio.engine.refusal import Refusal, refusal_of
from trio_sio.engine.session.registry import SessionRegistry
from trio_sio.exceptions import RequestRefused
from trio_sio.failures import Never, failures, sort, verdict
from trio_sio.http import BodyError, Request
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import ErrorCode, HandshakeRequest, OpenPacket
from trio_sio.protocol.engineio.session_id import with_node
from trio_sio.protocol.engineio.version import EIO3, VERSIONS, EngineVersion

logger = logging.getLogger("trio_sio.engine")

A = TypeVar("A")

ID_BYTES = 15
"""120 random bits; 20 characters, as the reference server's ids have, behind the node's own."""


class CallbackTooSlow(Exception):
    """A function of the application took too long; it has been cancelled.

    Attributes:
        name: the option that gives it.
        limit: seconds that it may take (option `handshake_timeout`).
    """

    def __init__(self, name: str, limit: float) -> None:
        super().__init__(f"{name} took over {limit} s (handshake_timeout)")
        self.name = name
        self.limit = limit


async def call_function(
    name: str,
    function: Callable[[A], object],
    argument: A,
    responder: Responder,
    limit: float,
) -> object:
    """Call a function of the application, async or not, and return what it returns.

    Args:
        name: the option that gives it.
        function: the function.
        argument: its argument.
        responder: answers the client that waits for it.
        limit: seconds that it may take, if it is async.

    Raises:
        HungUp: the client left; the function has been cancelled.
        CallbackTooSlow: so has it after `limit` seconds.
        Exception: whatever the function raises.
    """
    answer = function(argument)
    if not inspect.isawaitable(answer):
        return answer
    with trio.move_on_after(limit):
        if isinstance(argument, Request) and argument.has_body:  # one of the two may read it
            return await answer
        return await unless_hung_up(responder, answer)
    raise CallbackTooSlow(name, limit)


async def check_origin(sessions: SessionRegistry, request: Request, responder: Responder) -> None:
    """Refuse a request from an origin that option `origins` does not accept.

    Raises:
        Refusal: it does not, or its function failed.
        HungUp, CallbackTooSlow: as `call_function`.
    """
    origins, origin = sessions.options.origins, cors.origin_of(request)
    if callable(origins):
        is_welcome = await _ask(sessions, "origins", origins, origin, responder)
    else:
        is_welcome = cors.is_listed(origins, origin)
    if not is_welcome:
        detail = cors.explain(origins, origin)
        raise Refusal(ErrorCode.FORBIDDEN, detail, websocket_text="")


async def check_allowed(sessions: SessionRegistry, request: Request, responder: Responder) -> None:
    """Ask the application, by option `allow_request`, whether a client may begin a session.

    It lets the client in by returning nothing, or anything true (JS: `callback(err, success)`).

    Raises:
        Refusal: it does not, or the function failed.
        HungUp, CallbackTooSlow: as `call_function`.
    """
    allow = sessions.options.allow_request
    if allow is None:
        return
    if await _ask(sessions, "allow_request", allow, request, responder) is False:
        raise Refusal(ErrorCode.FORBIDDEN, "allow_request refused", websocket_text="")


def _pass_on(fault: Exception | None) -> None:
    """Raise what is the client's fault, for a function that wanted the request's body."""
    if isinstance(fault, BodyError):
        raise Refusal(ErrorCode.BAD_REQUEST, str(fault)) from fault
    if fault is not None:
        raise fault


async def _ask(
    sessions: SessionRegistry,
    name: str,
    function: Callable[[A], object],
    argument: A,
    responder: Responder,
) -> bool | None:
    """Call a function of the application that may refuse; if it fails, nobody gets in."""
    options = sessions.options
    broken = Refusal(ErrorCode.FORBIDDEN, "the check itself failed")
    with refusing(options, sessions.runtime.log, name, broken):
        limit = options.handshake_timeout
        return verdict(name, await call_function(name, function, argument, responder, limit))
    raise AssertionError("what is raised inside is raised")


@contextmanager
def refusing(
    options: EngineOptions, log: LogThrottle, name: str, broken: Refusal
) -> Iterator[None]:
    """Make refusals of what a function of the application raises.

    Args:
        options: the engine's.
        log: the engine's, throttled.
        name: of what gives the function.
        broken: what the client is told if the function fails.
    """
    try:
        yield
    except CallbackTooSlow:
        raise
    except failures() as error:
        _pass_on(fault_of_client(error))
        found = sort(error, RequestRefused)
        if found.failure is not None:
            if options.raise_errors:
                raise
            log.fail(logger, found.failure, "%s failed", name)
        if found.exits is not None:
            raise found.exits from None
        if found.refusal is not None:
            raise refusal_of(found.refusal) from found.refusal
        raise broken from error


def judge_protocol(
    sessions: SessionRegistry, request: Request, ask: HandshakeRequest
) -> HandshakeRequest:
    """Return what a handshake asks for, with the revision that option `protocol_of` says.

    Raises:
        Refusal: the function failed, or refuses the client.
    """
    judge = sessions.options.protocol_of
    if judge is None:
        return ask
    broken = Refusal(ErrorCode.BAD_REQUEST, "protocol_of failed")
    with refusing(sessions.options, sessions.runtime.log, "protocol_of", broken):
        number = judge(request)
        if number is None:
            return ask
        if type(number) is not int or number not in VERSIONS:
            raise TypeError(f"protocol_of must return 3, 4 or None, not {number!r}")
        return replace(ask, version=str(number), is_judged=True)
    raise AssertionError("what is raised inside is raised")


async def new_id(sessions: SessionRegistry, request: Request, responder: Responder) -> str:
    """Return an id for a new session: ours, or the application's `generate_id`.

    Raises:
        Refusal: `generate_id` failed, or gave an id that cannot be used.
        HungUp, CallbackTooSlow: as `call_function`.
    """
    options = sessions.options
    generate = options.generate_id
    if generate is None:
        return with_node(options.node_id, secrets.token_urlsafe(ID_BYTES))
    try:
        limit = options.handshake_timeout
        sid = await call_function("generate_id", generate, request, responder, limit)
        if not isinstance(sid, str) or not sid or sessions.find(sid) is not None:
            raise ValueError(f"generate_id must return a new, unused text, not {sid!r}")
    except CallbackTooSlow:
        raise
    except failures() as error:
        _pass_on(fault_of_client(error))
        found = sort(error, Never)
        if options.raise_errors:
            raise
        if found.failure is not None:
            sessions.runtime.log.fail(logger, found.failure, "generate_id failed")
        if found.exits is not None:
            raise found.exits from None
        raise Refusal(ErrorCode.BAD_REQUEST, "generate_id failed") from error
    return sid


def open_packet(
    options: EngineOptions, sid: str, upgrades: list[str], version: EngineVersion = EIO3
) -> Encoded:
    """Return the packet that begins a session."""
    timeout = options.ping_timeout_of(version.number)
    # The clients of Engine.IO 3 do not know the limit, and need not be told what they ignore.
    limit = None if version is EIO3 else options.max_http_buffer_size
    packet = OpenPacket(sid, upgrades, options.ping_interval, timeout, limit)
    return Encoded((packet.encode(),))
