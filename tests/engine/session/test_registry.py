"""Who is here, who may come, and what becomes of the handlers' errors."""

import gc
import logging
from collections.abc import Mapping

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.engine.http.request_reader import RequestReader
from trio_sio.engine.runtime.runtime import Runtime
from trio_sio.engine.session.counters import SessionCounters
from trio_sio.engine.session.registry import NoRoom, SessionRegistry
from trio_sio.http import Request
from trio_sio.options import EngineOptions
from trio_sio.testing import open_wire
from trio_sio.testing.transport import MemoryTransport

REQUEST = Request("GET", "/engine.io/")


def make(max_sessions: int | None = None) -> SessionRegistry:
    runtime = Runtime()
    options = EngineOptions(max_sessions=max_sessions)
    return SessionRegistry(options, runtime, SessionCounters(runtime.counters))


def limits(registry: SessionRegistry) -> Mapping[str, int]:
    counters, stalls = registry.counters, registry.runtime.stalls
    return counters.statistics(registry.values(), 0, 0, stalls).limits


def readers() -> set[int]:
    """What reads requests and is referred to by somebody, by `id`."""
    gc.collect()
    return {id(one) for one in gc.get_objects() if isinstance(one, RequestReader)}


async def test_a_session_does_not_keep_what_reads_requests(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(ws_engine="websockets")
    others = readers()  # of tests before, whose failures keep them, say
    async with open_wire(io, streams=socket_pair) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        (session,) = io.engine.sessions.values()
        assert session.request.path == "/socket.io/"
        del session
        assert readers() <= others


async def test_sessions_are_found_by_their_ids() -> None:
    registry = make()
    assert registry == {}
    assert registry.find("a") is None
    session = registry.add("a", REQUEST, MemoryTransport(10))
    assert registry.find("a") is registry["a"] is session
    assert (list(registry), len(registry)) == (["a"], 1)
    session.abort(trio_sio.DisconnectReason.TRANSPORT_ERROR)
    assert registry.find("a") is None
    assert registry["a"] is session  # until its task has ended


async def test_places_count_as_sessions_do(caplog: pytest.LogCaptureFixture) -> None:
    registry = make(max_sessions=3)
    registry.add("a", REQUEST, MemoryTransport(10))
    with registry.reserve("x") as place, registry.reserve("y"):
        with pytest.raises(NoRoom) as caught:
            registry.reserve("z")
        assert str(caught.value) == "too many clients (max_sessions: there are 3)"
        with pytest.raises(NoRoom):
            registry.check_room("z")
        session = place.add("b", REQUEST, MemoryTransport(10))
        assert list(registry.values()) == [registry["a"], session]
        with pytest.raises(NoRoom):
            registry.reserve("z")  # a session and its place are not two
    with registry.reserve("z"):
        pass
    assert limits(registry) == {"max_sessions": 3}
    assert registry.runtime.counters.refused["full"] == 3
    assert caplog.messages == ["refused a client at z: max_sessions: there are 3"]


async def test_a_place_that_is_not_taken_is_given_back() -> None:
    registry = make(max_sessions=1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), registry.reserve("x"):
            raise ZeroDivisionError
    with registry.reserve("x"):
        pass


async def test_a_place_that_is_handed_over_stays() -> None:
    registry = make(max_sessions=1)
    with registry.reserve("x") as place:
        place.hand_over()
    with pytest.raises(NoRoom):
        registry.reserve("y")
    with place, pytest.raises(NoRoom):
        registry.reserve("y")
    with registry.reserve("y"):
        pass


async def test_while_it_drains_a_place_is_of_no_use(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    registry = make()
    with registry.reserve("1.2.3.4") as place:
        with registry.refusing():
            for attempt in (
                lambda: place.add("a", REQUEST, MemoryTransport(10)),
                lambda: registry.reserve("1.2.3.4"),
                place.check,
            ):
                with pytest.raises(NoRoom, match="the server takes no new clients"):
                    attempt()
        place.add("a", REQUEST, MemoryTransport(10))
    registry.close()
    with pytest.raises(NoRoom):
        registry.check_room("1.2.3.4")
    assert registry.runtime.counters.refused["draining"] == 4
    assert caplog.messages == ["refused a handshake from 1.2.3.4: the server drains"]


async def test_sessions_run_until_they_end_and_their_errors_are_logged(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    registry = make()

    async def handler(session: trio_sio.Session) -> None:
        if session.id == "fails":
            raise ZeroDivisionError
        await session.receive()

    async with trio.open_nursery() as nursery:
        with registry.serving(nursery):
            registry.handle_with(handler)
            for sid in ("fails", "listens"):
                registry.start(registry.add(sid, REQUEST, MemoryTransport(10)))
            await wait_all_tasks_blocked()
            assert list(registry) == ["listens"]
            assert not registry.closing
            registry["listens"].close()
            await trio.sleep(1)
            assert registry == {}
        assert registry.closing
    assert caplog.messages == ["the handler of session fails failed"]


@pytest.mark.parametrize("raise_errors", [True, False])
async def test_whether_errors_are_raised_is_said_for_one_session(
    raise_errors: bool, autojump_clock: MockClock
) -> None:
    registry = make()

    async def fail(session: trio_sio.Session) -> None:
        raise ZeroDivisionError

    session = registry.add("a", REQUEST, MemoryTransport(10), raise_errors=raise_errors)
    if raise_errors:
        with pytest.RaisesGroup(ZeroDivisionError, flatten_subgroups=True):
            await registry.run(session, fail)
    else:
        await registry.run(session, fail)
    assert registry == {}
