"""What an adapter in memory does for clients that come back."""

import pytest

from trio_sio import MemoryAdapter, Server
from trio_sio.recovery.failure import RecoveryFailure
from trio_sio.recovery.session import RecoverySession


def adapter(**options: object) -> MemoryAdapter:
    found = Server(**options).sockets.adapter  # type: ignore[arg-type]  # options
    assert isinstance(found, MemoryAdapter)
    return found


async def test_nothing_is_kept_without_the_option() -> None:
    with pytest.raises(RuntimeError, match="connection_state_recovery is off"):
        adapter().open_session("a")


async def test_a_session_can_be_used_once() -> None:
    one = adapter(connection_state_recovery={})
    await one.add_all("a", ["a", "red"])
    session = one.open_session("a")
    one.begin_session(session)
    await one.persist_session(session, {"name": "Anna"})
    await one.remove_all("a")
    found = await one.restore_session(session.pid, None)
    assert isinstance(found, RecoverySession)
    assert (found.rooms.present, found.data) == (frozenset({"a", "red"}), {"name": "Anna"})
    assert isinstance(await one.restore_session(session.pid, None), RecoveryFailure)


async def test_a_session_that_is_dropped_cannot_be_used() -> None:
    one = adapter(connection_state_recovery={})
    session = one.open_session("a")
    one.begin_session(session)
    one.drop_session(session)
    assert isinstance(await one.restore_session(session.pid, None), RecoveryFailure)
