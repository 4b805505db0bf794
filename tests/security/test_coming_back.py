"""Attacks on connection state recovery, by clients of 4.x, which alone have it."""

import json
import tracemalloc
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import joined, opened
from tests.security.heard import only_the_neighbour_is_left
from tests.security.neighbour import beside
from tests.support.examples import examples
from tests.support.modern import join
from tests.support.servers import MakeServer
from trio_sio import Recovery
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket

LONG = "x" * 50_000
NO_PIDS: list[object] = [
    *(None, 0, True, -1.5, [], ["a"], {}, {"toString": 1}, "", " ", "\0", "\ud800"),
    *("__proto__", "constructor", "undefined", "A" * 22, LONG),
]
NO_OFFSETS: list[object] = [
    *(None, 0, True, -1, 0.5, [], {"a": 1}, "", "x", ".", "..", ".1", "1", "a.1", "\0.1"),
    *("__proto__", "9" * 5000, LONG),
]


async def come_back(wire: WireClient, pid: object, offset: object) -> dict[str, Any]:
    """Ask for a socket, and return what the answer says."""
    websocket = await opened(wire, eio=4)
    auth = json.dumps({"pid": pid, "offset": offset, "token": 1})
    return await join(websocket, f"40{auth}")


# -- other people's sockets ------------------------------------------------------------------------


@pytest.mark.parametrize("skips", [False, True])
async def test_nobody_gets_a_socket_by_a_pid_that_is_none(
    skips: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Nor by what others may know of its owner: ids, sessions and rooms. Middleware is asked."""
    io = make_server(connection_state_recovery=Recovery(skip_middlewares=skips))
    asked: list[object] = []
    io.use(lambda socket: asked.append(socket.recovered))
    async with beside(io) as wire:
        victim = await joined(wire, eio=4)
        (owner,) = [one for one in io.sockets.connected.values() if one.protocol == 5]
        owner.data["secret"] = 1
        guesses = [*NO_PIDS, owner.id, owner.conn.id]
        for here in (True, False):
            for guess in guesses:
                said = await come_back(wire, guess, None)
                found = io.sockets.connected[said["sid"]]
                assert (found.recovered, dict(found.data)) == (False, {})
            if here:
                assert io.sockets.connected[owner.id] is owner
                await victim.aclose()
                await wait_all_tasks_blocked()
        assert asked == [False] * (2 + 2 * len(guesses))


@pytest.mark.parametrize("name", ["/closed", "/room-2"])
async def test_a_pid_of_one_namespace_is_none_of_another(
    name: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Whoever is let into one has not passed the middleware of another, nor been in it."""
    io = make_server(connection_state_recovery=Recovery(skip_middlewares=True))
    io.of(lambda name, auth: name.startswith("/room-"))
    io.of("/closed").use(_refuse)
    async with beside(io) as wire:
        for own in ("", "/room-1,"):
            websocket = await opened(wire, eio=4)
            told = await join(websocket, f"40{own}")
            await websocket.aclose()
            await wait_all_tasks_blocked()
            websocket = await opened(wire, eio=4)
            await websocket.send(f"40{name},{json.dumps({'pid': told['pid']})}")
            answer = str(await websocket.receive())
            if name == "/closed":
                assert answer == '44/closed,{"message":"no"}'
            else:
                said = json.loads(answer.partition(",")[2])
                assert said["sid"] != told["sid"]
                assert said["pid"] != told["pid"]
                assert not io.of(name).connected[said["sid"]].recovered


async def _refuse(socket: trio_sio.Socket) -> None:
    raise trio_sio.ConnectionRefused("no")


# -- what one has missed ---------------------------------------------------------------------------


@examples(60)
@given(
    offset=st.sampled_from(NO_OFFSETS)
    | st.text(max_size=8)
    | st.integers(-2, 12).map(lambda number: ("epoch", number))
)
def test_whatever_offset_one_names_one_hears_what_was_for_oneself(offset: object) -> None:
    """In its order, and once; or one is new, and hears nothing of before."""
    trio.run(_name_offset, offset, clock=MockClock(autojump_threshold=0))


async def _name_offset(offset: object) -> None:
    io = trio_sio.Server(raise_errors=True, connection_state_recovery=Recovery())
    io.on("enter", lambda socket: socket.join("ours"))
    async with beside(io) as wire:
        websocket = await opened(wire, eio=4)
        told = await join(websocket)
        await websocket.send('420["enter"]')
        assert await websocket.receive() == "430[]"
        await io.to("ours").emit("ours", 1)
        known = json.loads(str(await websocket.receive())[2:])[-1]
        await websocket.aclose()
        await wait_all_tasks_blocked()
        for number in range(2, 6):
            await io.to("theirs").emit("theirs", number)
            await io.to("ours").emit("ours", number)
        if isinstance(offset, tuple):
            offset = f"{known.rpartition('.')[0]}.{offset[1]}"
        websocket = await opened(wire, eio=4)
        await websocket.send("40" + json.dumps({"pid": told["pid"], "offset": offset}))
        said = await _all_that_comes(websocket)
        (answer,) = [json.loads(packet[2:]) for packet in said if packet.startswith("40")]
        heard = [json.loads(packet[2:])[:2] for packet in said if packet.startswith("42")]
        numbers = [number for _, number in heard]
        assert {name for name, _ in heard} <= {"ours"}
        assert numbers == sorted(set(numbers))
        if answer["sid"] == told["sid"]:
            assert numbers[-4:] == [2, 3, 4, 5] or offset_is_known(offset, known)
        else:
            assert numbers == []


def offset_is_known(offset: object, known: str) -> bool:
    """Whether a client that names this has had more than the first event, as it says."""
    epoch, _, digits = str(offset).rpartition(".")
    return epoch == known.rpartition(".")[0] and digits.isdigit() and int(digits) > 1


async def _all_that_comes(websocket: WireWebSocket) -> list[str]:
    said: list[str] = []
    with trio.move_on_after(1):
        while True:
            said.append(str(await websocket.receive()))
    return said


# -- many at a time --------------------------------------------------------------------------------


@pytest.mark.parametrize("is_lost", [True, False])
async def test_one_of_many_who_come_with_a_pid_at_the_same_time_has_the_socket(
    is_lost: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Each ends the one before it; whoever is left has heard what was missed, once."""
    io = make_server(connection_state_recovery=Recovery())
    count = 100
    async with beside(io) as wire:
        first = await opened(wire, eio=4)
        told = await join(first)
        if is_lost:
            await first.aclose()
            await wait_all_tasks_blocked()
            await io.to(told["sid"]).emit("missed")
        claim = "40" + json.dumps({"pid": told["pid"]})
        websockets = [await opened(wire, eio=4) for _ in range(count)]
        heard: list[list[str]] = []
        async with trio.open_nursery() as nursery:
            for websocket in websockets:
                nursery.start_soon(_claim, websocket, claim, heard)
        staying = [said for said in heard if said]
        assert len(staying) == 1
        (socket,) = [one for one in io.sockets.connected.values() if one.protocol == 5]
        assert (socket.id, socket.recovered) == (told["sid"], True)
        missed = [packet for packet in staying[0] if packet.startswith('42["missed"')]
        assert len(missed) == (1 if is_lost else 0)
        await first.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().sessions_by_protocol == {3: 1, 4: 1}
        for websocket in websockets:
            await websocket.aclose()
        await only_the_neighbour_is_left(io)


async def _claim(websocket: WireWebSocket, claim: str, heard: list[list[str]]) -> None:
    await websocket.send(claim)
    try:
        heard.append(await _all_that_comes(websocket))
    except (WebSocketClosed, trio.BrokenResourceError):
        await websocket.aclose()
        heard.append([])


async def test_who_comes_and_goes_has_a_bounded_place(
    autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Whether it leaves sockets behind, asks for some that never were, or for one and the same."""
    recovery = Recovery(max_sessions=20, max_packets=50, max_bytes=100_000)
    io = make_server(connection_state_recovery=recovery)
    async with beside(io) as wire:
        tracemalloc.start()
        try:
            pid: object = None
            for number in range(300):
                websocket = await opened(wire, eio=4)
                guess = pid if number % 3 else f"{number}{LONG}"
                await websocket.send("40" + json.dumps({"pid": guess}))
                while not (answer := str(await websocket.receive())).startswith("40"):
                    pass  # it is what was missed
                told = json.loads(answer[2:])
                pid = told["pid"]
                await io.to(told["sid"]).emit("news", "x" * 5000)
                await websocket.aclose()
                await wait_all_tasks_blocked()
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 5_000_000
        numbers = io.sockets.statistics().recovery
        assert numbers.away <= 20
        assert numbers.packets <= 50
        assert numbers.packet_bytes <= 100_000


@pytest.mark.parametrize("packet", ["40{}", '40{"pid":"x"}', "40/a,{}", "41", '42["echo"]'])
async def test_who_claims_and_goes_on_in_one_breath_has_one_socket_at_most(
    packet: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """What comes behind the claim does not overtake it."""
    io = make_server(connection_state_recovery=Recovery())
    io.of("/a")
    async with beside(io) as wire:
        websocket = await opened(wire, eio=4)
        told = await join(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        client = await wire.handshake(eio=4)
        claim = "40" + json.dumps({"pid": told["pid"]})
        await client.post(claim, packet, claim)
        await wait_all_tasks_blocked()
        sockets = [one for one in io.sockets.connected.values() if one.protocol == 5]
        assert [socket.id for socket in sockets] == [told["sid"]]
        await client.post("1")
        await client.aclose()
        await only_the_neighbour_is_left(io)
