"""How a new session gets its id and its first packet."""

import logging
import secrets

from trio_sio.engine import callbacks
from trio_sio.engine.callbacks import CallbackTooSlow
from trio_sio.engine.http.responder import HungUp, Responder
from trio_sio.engine.refusal import Refusal
from trio_sio.engine.session.registry import SessionRegistry
from trio_sio.failures import Never, failures, sort
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.handshake import ErrorCode, OpenPacket

logger = logging.getLogger("trio_sio.engine")

ID_BYTES = 15
"""120 random bits; 20 characters, as the reference server's ids have."""


async def new_id(sessions: SessionRegistry, request: Request, responder: Responder) -> str:
    """Return an id for a new session: ours, or the application's `generate_id`.

    Raises:
        Refusal: `generate_id` failed, or gave an id that cannot be used.
        HungUp, CallbackTooSlow: as `callbacks.call`.
    """
    generate = sessions.options.generate_id
    if generate is None:
        return secrets.token_urlsafe(ID_BYTES)
    try:
        limit = sessions.options.handshake_timeout
        sid = await callbacks.call("generate_id", generate, request, responder, limit)
        if not isinstance(sid, str) or not sid or sessions.find(sid) is not None:
            raise ValueError(f"generate_id must return a new, unused text, not {sid!r}")
    except (HungUp, CallbackTooSlow):
        raise
    except failures() as error:
        found = sort(error, Never)
        if sessions.options.raise_errors:
            raise
        if found.failure is not None:
            sessions.runtime.log.fail(logger, found.failure, "generate_id failed")
        if found.exits is not None:
            raise found.exits from None
        raise Refusal(ErrorCode.BAD_REQUEST, "generate_id failed") from error
    return sid


def open_packet(options: EngineOptions, sid: str, upgrades: list[str]) -> Encoded:
    """Return the packet that begins a session."""
    packet = OpenPacket(sid, upgrades, options.ping_interval, options.ping_timeout)
    return Encoded((packet.encode(),))
