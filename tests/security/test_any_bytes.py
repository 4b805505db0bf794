"""Whatever bytes a client sends, and whenever, the server keeps to the protocol or closes.

It holds for the connection in question; nothing is left of it once it has gone; and somebody
else is served meanwhile, in order. Nothing may come out of the server (`raise_errors`).
"""

import gc
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.security.answers import Invalid, check_http, check_websocket
from tests.security.connection_states import EVERY_STATE, STATES, Open, Victim, in_a_namespace
from tests.security.neighbour import beside
from tests.security.traffic import bytes_for
from tests.support.examples import examples
from tests.support.socket_pairs import socket_pair
from trio_sio.options import WSEngine
from trio_sio.testing.wire import StreamPair, WireClient
from trio_sio.testing.wire_http import WireConnection

LONGER_THAN_ANY_LIMIT = 200.0
"""Seconds in which a silent connection has been closed, whatever it was in the middle of."""

ENGINES: tuple[tuple[WSEngine, bool], ...] = (
    ("websockets", True),
    ("websockets", False),
    ("trio-websocket", False),
)

STREAMS = (memory_stream_pair, socket_pair)
"""In memory everything goes the long way, on a socket the short one where there is one."""


@dataclass(frozen=True)
class Attack:
    """What one client does, once it is in a state.

    Attributes:
        data: what it sends,
        cut: in pieces of so many bytes.
        end: "silence", "eof" or "drop", behind it.
    """

    data: bytes
    cut: int | None
    end: str


def attacks(state: Open) -> st.SearchStrategy[list[Attack]]:
    """Several clients that are in one state at the same time."""
    cuts = st.sampled_from((None, None, None, 1, 5, 60))
    ends = st.sampled_from(("silence", "silence", "eof", "drop"))
    one = st.builds(Attack, bytes_for(STATES[state]), cuts, ends)
    return st.lists(one, min_size=1, max_size=4)


def make_server(ws_engine: WSEngine, deflate: bool) -> trio_sio.Server:
    """A server with something in it, and limits that a few bytes reach."""
    ids = iter(["neighbour", *(f"victim{number}" for number in range(1000))])
    io = trio_sio.Server(
        raise_errors=True,
        ws_engine=ws_engine,
        per_message_deflate=deflate,
        generate_id=lambda _: next(ids),
        max_http_buffer_size=10_000,
        max_payload_packets=20,
        max_fragments=20,
        max_packet_bytes=5000,
        slow_step=None,  # what holds the loop here are these tests, and the machine
    )
    chat, slow = io.of("/chat"), io.of("/slow")
    slow.use(_wait)
    for namespace in (io.sockets, chat, slow):
        namespace.on("echo", lambda _, *args: args)
    io.on("fetch", _fetch, concurrent=True)
    io.on("leave", lambda socket: socket.disconnect(close=True))
    return io


async def _wait(socket: trio_sio.Socket) -> None:
    await trio.sleep(3)


async def _fetch(socket: trio_sio.Socket) -> None:
    with suppress(trio.TooSlowError, trio_sio.Disconnected):
        await socket.call("question", b"data")


# -- one client ----------------------------------------------------------------------------------


async def attack(victim: Victim, how: Attack) -> None:
    """Send, and read all there is until the server has closed; check it."""
    connection = victim.connection
    cut = how.cut if how.cut is None or len(how.data) < 300 else 1000
    with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
        await connection.send(how.data, cut)
    if how.end == "drop":
        await connection.aclose()
        return
    if how.end == "eof":
        with suppress(trio.BrokenResourceError, trio.ClosedResourceError):
            assert isinstance(connection.stream, trio.abc.HalfCloseableStream)
            await connection.stream.send_eof()
    with trio.fail_after(LONGER_THAN_ANY_LIMIT):
        said = await connection.receive_rest()
    if victim.speaks_websocket:
        check_websocket(said)
    else:
        check_http(said, ended=True, asked_head=b"HEAD" in how.data)


async def _attack_together(wire: WireClient, state: Open, eio: int, hows: list[Attack]) -> None:
    victims = [await state(wire, eio) for _ in hows]
    async with trio.open_nursery() as nursery:
        for victim, how in zip(victims, hows, strict=True):
            nursery.start_soon(attack, victim, how)
            for other in victim.others:
                nursery.start_soon(_listen, other)


async def _listen(connection: WireConnection) -> None:
    """Read what comes on another connection of a victim; all of it is HTTP, or frames."""
    with trio.fail_after(LONGER_THAN_ANY_LIMIT):
        said = await connection.receive_rest()
    if said[:5] == b"HTTP/":
        check_http(said, ended=True)
    else:
        check_websocket(said)


# -- what is left --------------------------------------------------------------------------------


def living(io: trio_sio.Server) -> Counter[str]:
    """Count what there is: objects of the package, tasks, connections and sessions."""
    gc.collect()
    found = Counter(
        f"{type(one).__module__}.{type(one).__qualname__}"
        for one in gc.get_objects()
        if str(type(one).__module__).startswith("trio_sio.")
        and not str(type(one).__module__).startswith("trio_sio.testing")
    )
    numbers = io.statistics()
    found["tasks"] = trio.lowlevel.current_statistics().tasks_living
    found["connections"], found["sessions"] = numbers.connections, numbers.sessions
    found["queued bytes"] = numbers.queued_bytes
    return found


async def hold(
    state: Open,
    eio: int,
    engine: tuple[WSEngine, bool],
    streams: Callable[[], StreamPair],
    hows: list[Attack],
) -> None:
    """Run one example."""
    io = make_server(*engine)
    async with beside(io, streams=streams) as wire:
        await _attack_together(wire, state, eio, [Attack(b"", None, "silence")])
        await trio.sleep(LONGER_THAN_ANY_LIMIT)
        before = living(io)
        await _attack_together(wire, state, eio, hows)
        await trio.sleep(LONGER_THAN_ANY_LIMIT)
        await wait_all_tasks_blocked()
        assert living(io) - before == Counter()


IN_EVERY_STATE = pytest.mark.parametrize(
    ("state", "eio"), EVERY_STATE, ids=[f"{state.__name__}-{eio}" for state, eio in EVERY_STATE]
)
SUPPRESSED = [HealthCheck.data_too_large, HealthCheck.too_slow]


def _hold_once(state: Open, eio: int, data: st.DataObject) -> None:
    engine, hows = data.draw(st.sampled_from(ENGINES)), data.draw(attacks(state))
    streams = data.draw(st.sampled_from(STREAMS))
    trio.run(hold, state, eio, engine, streams, hows, clock=MockClock(autojump_threshold=0))


@IN_EVERY_STATE
@examples(10, suppress_health_check=SUPPRESSED)
@given(data=st.data())
def test_the_server_answers_by_the_protocol_or_closes_and_keeps_nothing(
    state: Open, eio: int, data: st.DataObject
) -> None:
    _hold_once(state, eio, data)


@pytest.mark.long
@IN_EVERY_STATE
@examples(300, suppress_health_check=SUPPRESSED)
@given(data=st.data())
def test_so_it_does_for_many_more(state: Open, eio: int, data: st.DataObject) -> None:
    _hold_once(state, eio, data)


# -- the checks can fail -------------------------------------------------------------------------

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
SWITCH = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
PROPER = [b"", OK, OK * 3, SWITCH, OK + SWITCH + b"\x81\x013\x88\x00", SWITCH + b"\x88\x02\x03\xea"]
IMPROPER = [
    b"x",
    OK[:-1],
    OK[:20],
    OK + b"x",
    OK.replace(b"Content-Length: 2", b"A: b"),
    OK.replace(b"Content-Length: 2", b"Content-Length: x"),
    SWITCH[:-2],
    *(
        SWITCH + frame
        for frame in (
            *(b"\x81", b"\x81\x05ok", b"\x81\x82maskok", b"\x01\x02ok", b"\x83\x00"),
            *(b"\xa1\x02ok", b"\xc9\x00", b"\x81\x01\xff", b"\x81\x7e\x00\x01x"),
            *(b"\x88\x01\x03", b"\x88\x02\x03\xed", b"\x88\x03\x03\xe8\xff", b"\x88\x00\x81\x00"),
            b"\x89\x7e\x00\x7e" + bytes(126),
        )
    ),
]


@pytest.mark.parametrize("said", PROPER)
def test_what_is_proper_passes(said: bytes) -> None:
    check_http(said, ended=True)


@pytest.mark.parametrize("said", IMPROPER)
def test_what_is_not_is_found(said: bytes) -> None:
    with pytest.raises(Invalid):
        check_http(said, ended=True)


async def test_what_is_left_is_found(eio: int, autojump_clock: MockClock) -> None:
    """A connection, its session and its socket, and all that belongs to them."""
    io = make_server("websockets", False)
    async with beside(io) as wire:
        before = living(io)
        await in_a_namespace(wire, eio)
        left = living(io) - before
        for name in ("tasks", "connections", "sessions", "trio_sio.router.client.Client"):
            assert left[name] > 0


def test_only_who_asked_by_head_gets_an_answer_without_its_body() -> None:
    no_body = OK[: -len("ok")]
    check_http(no_body, ended=True, asked_head=True)
    with pytest.raises(Invalid):
        check_http(no_body, ended=True)
