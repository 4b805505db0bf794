"""What the doorway needs of the engine, and how a new session gets its id and its first packet."""

import logging
import secrets
from typing import Protocol

from trio_sio.abc import Transport
from trio_sio.engine import callbacks
from trio_sio.engine.callbacks import CallbackTooSlow
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.http.hang_up import HungUp
from trio_sio.engine.refusal import Refusal
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.session import Session
from trio_sio.failures import Never, failures, sort
from trio_sio.http import Request, Response
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import ErrorCode, OpenPacket

logger = logging.getLogger("trio_sio.engine")

ID_BYTES = 15
"""120 random bits; 20 characters, as the reference server's ids have."""


class Host(Protocol):
    """What the doorway needs of the engine."""

    options: EngineOptions
    runtime: Runtime
    closing: bool

    def find(self, sid: str) -> Session | None:
        """Return an open session."""

    def count_limit(self, option: str) -> None:
        """Note that a limit was reached outside of sessions."""

    def why_no_session(self, address: str) -> str:
        """Return why no client can be taken at present, `""` if one can."""

    def add(self, sid: str, request: Request, transport: Transport) -> Session:
        """Make a session."""

    def start(self, session: Session) -> None:
        """Run a session as a task of the engine."""

    async def run(self, session: Session) -> None:
        """Run a session in the present task."""


def turned_away(host: Host, request: Request) -> Response | None:
    """Return what a new client is answered if the server takes none at present.

    The application may have been asked meanwhile, so one look is not enough.
    """
    why = host.why_no_session(request.remote)
    if not why:
        return None
    headers = [("Content-Type", "text/plain; charset=utf-8"), ("Connection", "close")]
    return Response(503, headers, f"{why}\n".encode())


async def new_id(host: Host, request: Request, connection: HTTPConnection) -> str:
    """Return an id for a new session: ours, or the application's `generate_id`.

    Raises:
        Refusal: `generate_id` failed, or gave an id that cannot be used.
        HungUp, CallbackTooSlow: as `callbacks.call`.
    """
    generate = host.options.generate_id
    if generate is None:
        return secrets.token_urlsafe(ID_BYTES)
    try:
        limit = host.options.handshake_timeout
        sid = await callbacks.call("generate_id", generate, request, connection, limit)
        if not isinstance(sid, str) or not sid or host.find(sid) is not None:
            raise ValueError(f"generate_id must return a new, unused text, not {sid!r}")
    except (HungUp, CallbackTooSlow):
        raise
    except failures() as error:
        found = sort(error, Never)
        if host.options.raise_errors:
            raise
        if found.failure is not None:
            host.runtime.log.fail(logger, found.failure, "generate_id failed")
        if found.exits is not None:
            raise found.exits from None
        raise Refusal(ErrorCode.BAD_REQUEST, "generate_id failed") from error
    return sid


def open_packet(options: EngineOptions, sid: str, upgrades: list[str]) -> Encoded:
    """Return the packet that begins a session."""
    packet = OpenPacket(sid, upgrades, options.ping_interval, options.ping_timeout)
    return Encoded((packet.encode(),))
