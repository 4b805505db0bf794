"""Any steps leave a session in a state of its table; one that is refused changes nothing.

An end has a reason, which stays; CLOSED stays; a ping is answered exactly while the session is
open; the deadline of a session that is not closed lies ahead.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.engineio.packet import TYPES, EnginePacket, EnginePacketType
from trio_sio.protocol.engineio.state import SessionState, Signal, State
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError

NAME = "session"

_SIGNALS = tuple(Signal)


def fuzz(data: bytes) -> Hashable:
    """Take a step for each byte; the outcome is the way through the states."""
    now = 0.0
    session = SessionState(interval=25, timeout=5, now=now)
    way = [session.state]
    for byte in data:
        before = _everything_of(session)
        if byte >= 0x80:
            now += byte - 0x80
            session.tick(now)
        elif not _step(session, byte, now):
            assert _everything_of(session) == before
        _check(session, before, now)
        if session.state is not way[-1]:
            way.append(session.state)
    return (tuple(way[:12]), session.reason)


def _step(session: SessionState, byte: int, now: float) -> bool:
    """Send a packet or a signal; return whether it was taken."""
    is_open = session.is_open
    number = byte % (len(TYPES) + len(_SIGNALS))
    try:
        if number >= len(TYPES):
            session.signal(_SIGNALS[number - len(TYPES)])
            return True
        kind = TYPES[number]
        replies = session.receive(EnginePacket(kind, "x" * (byte // 64)), now)
    except (RemoteProtocolError, LocalProtocolError):
        return False
    assert session.deadline == now + session.silence_limit
    pong = [EnginePacket(EnginePacketType.PONG)]
    assert replies == (pong if kind is EnginePacketType.PING and is_open else [])
    return True


def _check(session: SessionState, before: dict[str, object], now: float) -> None:
    assert session.state in State
    assert session.is_open == (session.reason is None)
    assert session.state is State.CLOSED or session.deadline > now
    if before["reason"] is not None:
        assert session.reason is before["reason"]
    if before["state"] is State.CLOSED:
        assert _everything_of(session) == before


def _everything_of(session: SessionState) -> dict[str, object]:
    return {name: getattr(session, name) for name in SessionState.__slots__}


if __name__ == "__main__":
    harness.main(fuzz, NAME)
