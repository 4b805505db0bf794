"""Clients that come back, by bytes: what the real ones cannot be made to do."""

import gc
import itertools
import json
import logging
import weakref
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.modern import OLD_TARGET, TARGET, join
from trio_sio import (
    JSON,
    ConnectionRefused,
    Disconnected,
    DisconnectReason,
    MemoryAdapter,
    Recovery,
    RecoveryFailure,
    Server,
    Socket,
)
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.disconnect import DisconnectReason as Reason
from trio_sio.protocol.socketio.notepack import pack, unpack
from trio_sio.protocol.socketio.packet import Packet
from trio_sio.recovery.session import RecoverySession
from trio_sio.router.recovery import RECOVERABLE, Claim, Holder, read_claim
from trio_sio.testing import open_wire
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket, open_websocket


def server(recovery: Recovery | dict[str, object] | None = None, **options: Any) -> Server:  # noqa: ANN401
    """A server that keeps what clients miss."""
    kept = Recovery() if recovery is None else recovery
    return Server(connection_state_recovery=kept, **{"raise_errors": True, **options})


async def open_modern(wire: WireClient, target: str = TARGET) -> WireWebSocket:
    """A WebSocket that has joined nothing."""
    websocket = await open_websocket(wire.connect(), target)
    await websocket.receive()
    return websocket


@asynccontextmanager
async def joined(
    io: Server, packet: str = "40"
) -> AsyncIterator[tuple[WireClient, WireWebSocket, dict[str, Any]]]:
    """A client that has joined, and what it was told."""
    async with open_wire(io) as wire:
        websocket = await open_modern(wire)
        yield wire, websocket, await join(websocket, packet)


def claim(answer: dict[str, Any], offset: str | None = None, name: str = "", **more: object) -> str:
    """The packet with which a client comes back."""
    told = {"pid": answer["pid"], **more} if offset is None else {"pid": answer["pid"]}
    if offset is not None:
        told = {**told, "offset": offset, **more}
    return f"40{name}{json.dumps(told)}"


def parse(packet: str | bytes) -> list[Any]:
    """What an event says, the offset too."""
    assert isinstance(packet, str)
    assert packet.startswith("42")
    found: list[Any] = json.loads(packet[packet.index("[") :])
    return found


def only_socket(io: Server) -> Socket:
    (socket,) = io.sockets.connected.values()
    return socket


async def lose(io: Server) -> Socket:
    """Lose the connection of the only socket, and wait until it has left."""
    socket = only_socket(io)
    socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
    await wait_all_tasks_blocked()
    assert not io.sockets.connected
    return socket


async def test_a_pid_is_long_and_told_to_its_client_alone(autojump_clock: MockClock) -> None:
    io = server()
    seen: list[object] = []

    @io.use
    async def look(socket: Socket) -> None:
        seen.append(socket.handshake.auth)

    async with joined(io, '40{"token":"1"}') as (wire, _websocket, answer):
        assert {*answer} == {"sid", "pid"}
        assert len(answer["pid"]) == 22  # 128 bits, six in each character
        await lose(io)
        back = await open_modern(wire)
        assert await join(back, claim(answer, "x", token="2")) == answer
        assert seen == [{"token": "1"}, {"token": "2"}]
        socket = only_socket(io)
        assert answer["pid"] not in f"{socket!r} {socket.recovery_session!r}"


async def test_one_after_the_other_holds_a_pid(autojump_clock: MockClock) -> None:
    """Whoever comes last has it; the ends of the others take nothing from it."""
    io = server()
    left: list[tuple[str, Reason]] = []

    @io.on("disconnect")
    async def go(socket: Socket, reason: Reason) -> None:
        left.append((socket.session.id, reason))

    async with joined(io) as (wire, first, answer):
        await only_socket(io).join("room")
        websockets = [first]
        for _ in range(3):
            former = only_socket(io)
            websockets.append(await open_modern(wire))
            assert await join(websockets[-1], claim(answer)) == answer
            with pytest.raises(WebSocketClosed):
                await websockets[-2].receive()
            assert left[-1] == (former.session.id, "transport close")
            assert former.detail is not None
            assert "come back" in former.detail.text
        await wait_all_tasks_blocked()
        socket = only_socket(io)
        assert socket.rooms == {socket.id, "room"}
        await io.to("room").emit("news")
        assert parse(await websockets[-1].receive())[0] == "news"
        assert len(left) == 3


async def test_two_at_the_same_time(autojump_clock: MockClock) -> None:
    io = server()

    @io.use
    async def ask(socket: Socket) -> None:
        await trio.sleep(1)

    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        rivals = [await open_modern(wire) for _ in range(3)]
        for rival in rivals:
            await rival.send(claim(answer))
            await wait_all_tasks_blocked()
        assert json.loads(str(await rivals[-1].receive())[2:]) == answer
        for rival in rivals[:-1]:
            with pytest.raises(WebSocketClosed):
                await rival.receive()
        assert only_socket(io).recovered
        assert io.statistics().sockets == 1


async def test_what_is_sent_while_middleware_decides_is_missed_and_replayed(
    autojump_clock: MockClock,
) -> None:
    io = server()
    may_pass = trio.Event()
    is_first = True

    @io.use
    async def ask(socket: Socket) -> None:
        if not is_first:
            await may_pass.wait()

    async with joined(io) as (wire, _websocket, answer):
        is_first = False
        await lose(io)
        back = await open_modern(wire)
        await io.emit("one", "text")
        await back.send(claim(answer))
        await wait_all_tasks_blocked()
        await io.emit("two")
        await io.to(answer["sid"]).emit("three")
        await io.to("elsewhere").emit("four")
        may_pass.set()
        for name in ("one", "two", "three"):
            assert parse(await back.receive())[0] == name
        assert json.loads(str(await back.receive())[2:]) == answer
        await io.emit("five")
        assert parse(await back.receive())[0] == "five"


async def test_a_client_that_is_lost_while_it_comes_back_may_come_again(
    autojump_clock: MockClock,
) -> None:
    io = server()
    delay = 0.0

    @io.use
    async def ask(socket: Socket) -> None:
        await trio.sleep(delay)

    async with joined(io) as (wire, _websocket, answer):
        only_socket(io).data["name"] = "Ada"
        await lose(io)
        await io.emit("news")
        delay = 1.0
        for _ in range(3):
            back = await open_modern(wire)
            await back.send(claim(answer))
            await wait_all_tasks_blocked()
            await back.aclose()
            await wait_all_tasks_blocked()
            assert not io.sockets.connected
            assert io.statistics().namespaces["/"].recovery.away == 1
        back = await open_modern(wire)
        await back.send(claim(answer))
        assert parse(await back.receive())[0] == "news"
        assert await back.receive() == f"40{json.dumps(answer, separators=(',', ':'))}"
        assert only_socket(io).data == {"name": "Ada"}


async def test_who_is_refused_has_used_the_session(autojump_clock: MockClock) -> None:
    io = server()

    @io.use
    async def ask(socket: Socket) -> None:
        if socket.recovered:
            raise ConnectionRefused("no")

    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        await io.emit("news")
        back = await open_modern(wire)
        await back.send(claim(answer))
        assert await back.receive() == '44{"message":"no"}'
        assert not io.sockets.recovery.is_needed  # type: ignore[union-attr]  # it is on
        assert await join(back, claim(answer)) != answer
        assert only_socket(io).recovery_failure is RecoveryFailure.UNKNOWN


@pytest.mark.parametrize("who", ["middleware", "adapter"])
async def test_whom_a_failure_keeps_out_may_come_again_in_time(
    who: str, autojump_clock: MockClock
) -> None:
    """A database that is away for a moment costs nobody a session; refused is nobody by it."""
    failing = ""

    class Failing(MemoryAdapter):
        async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
            if failing == "adapter":
                raise OSError("no broker")
            await super().add_all(socket_id, rooms)

    io = server(Recovery(max_disconnection_duration=15), adapter=Failing, raise_errors=False)

    @io.use
    async def ask(socket: Socket) -> None:
        if failing == "middleware":
            raise OSError("no database")

    async with joined(io) as (wire, _websocket, answer):
        await only_socket(io).join("room")
        await lose(io)
        await io.to("room").emit("news", 1)
        failing = who
        back = await open_modern(wire)
        for _ in range(2):
            await trio.sleep(5)
            await back.send(claim(answer))
            assert await back.receive() == '44{"message":"Internal server error"}'
            await wait_all_tasks_blocked()
        kept = io.sockets.statistics().recovery
        assert (kept.away, kept.refused, kept.recovered) == (1, 0, 0)
        failing = ""
        await back.send(claim(answer))
        assert parse(await back.receive())[:-1] == ["news", 1]
        assert json.loads(str(await back.receive())[2:]) == answer
        await lose(io)
        failing = who
        back = await open_modern(wire)
        await trio.sleep(7)
        await back.send(claim(answer))
        assert await back.receive() == '44{"message":"Internal server error"}'
        failing = ""
        await trio.sleep(9)
        assert io.sockets.statistics().recovery.away == 0
        assert await join(back, claim(answer)) != answer
        assert only_socket(io).recovery_failure is RecoveryFailure.EXPIRED


async def linger(socket: Socket, reason: Reason) -> None:
    """Take a second for the end."""
    await trio.sleep(1)


async def test_who_leaves_a_namespace_alone_is_new_there(autojump_clock: MockClock) -> None:
    """Its connection goes on, and the former socket has not finished when it asks."""
    io = server()
    io.on("disconnecting", linger)
    async with joined(io) as (_wire, websocket, answer):
        await websocket.send("41")
        another = await join(websocket, claim(answer))
        assert another["pid"] != answer["pid"]
        assert only_socket(io).recovery_failure is RecoveryFailure.UNKNOWN


async def test_who_leaves_while_it_waits_for_the_former_one_leaves_nothing(
    autojump_clock: MockClock,
) -> None:
    io = server()
    io.on("disconnecting", linger)
    async with joined(io) as (wire, _websocket, answer):
        only_socket(io).session.abort(DisconnectReason.TRANSPORT_CLOSE)
        back = await open_modern(wire)
        await back.send(claim(answer))
        await wait_all_tasks_blocked()
        await back.aclose()
        await trio.sleep(2)
        assert not io.router.clients
        assert await join(await open_modern(wire), claim(answer)) == answer


async def test_an_adapter_that_fails_makes_a_new_socket(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(MemoryAdapter):
        async def restore_session(
            self, pid: str, offset: JSON
        ) -> RecoverySession | RecoveryFailure:
            raise OSError("no store")

    io = server(adapter=Broken, raise_errors=False)
    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        for _ in range(2):
            assert await join(await open_modern(wire), claim(answer)) != answer
            assert only_socket(io).recovery_failure is RecoveryFailure.UNKNOWN
            await lose(io)
        assert "no store" in caplog.text


@pytest.mark.parametrize("reason", DisconnectReason)
async def test_ends_after_which_it_may_come_back(
    reason: DisconnectReason, autojump_clock: MockClock
) -> None:
    io = server()
    async with joined(io) as (wire, _websocket, answer):
        socket = only_socket(io)
        socket.end(reason)
        await wait_all_tasks_blocked()
        back = await open_modern(wire)
        again = await join(back, claim(answer))
        wanted = {"client namespace disconnect", "server namespace disconnect", "parse error"}
        assert (again == answer) == (reason not in wanted) == (reason in RECOVERABLE)


async def test_time_runs_out(autojump_clock: MockClock) -> None:
    io = server({"max_disconnection_duration": 30.0})
    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        await trio.sleep(29.9)
        back = await open_modern(wire)
        assert await join(back, claim(answer)) == answer
        await lose(io)
        kept = io.statistics().namespaces["/"].recovery
        assert kept.away == 1
        await trio.sleep(30.1)
        assert io.statistics().namespaces["/"].recovery.away == 0  # and nobody has asked
        back = await open_modern(wire)
        await join(back, claim(answer))
        assert only_socket(io).recovery_failure is RecoveryFailure.EXPIRED


@pytest.mark.parametrize(("first", "second"), [(1000.0, 0.0), (0.0, 1000.0)])
def test_another_run_of_trio_has_another_clock(first: float, second: float) -> None:
    """A session of the run before could stay for ever, and its timer keep others from going."""
    io = server(Recovery(max_disconnection_duration=10))
    answers: list[dict[str, Any]] = []

    async def leave_one(begin: float) -> None:
        await trio.sleep(begin)
        async with joined(io) as (_wire, _websocket, answer):
            answers.append(answer)
            await lose(io)
            assert io.statistics().recovery.away == 1

    async def look(begin: float) -> None:
        await leave_one(begin)
        async with open_wire(io) as wire:
            back = await open_modern(wire)
            assert await join(back, claim(answers[0])) != answers[0]
            gone = (RecoveryFailure.UNKNOWN, RecoveryFailure.EXPIRED)
            assert only_socket(io).recovery_failure in gone
            await trio.sleep(11)
            assert io.statistics().recovery.away == 0

    trio.run(leave_one, first, clock=MockClock(autojump_threshold=0))
    trio.run(look, second, clock=MockClock(autojump_threshold=0))


async def test_what_was_sent_before_the_loss_was_noticed_is_kept_as_long(
    autojump_clock: MockClock,
) -> None:
    """A client that says nothing is noticed late, and has its whole time from then on."""
    io = server({"max_disconnection_duration": 30.0}, ping_interval=10.0, ping_timeout=5.0)
    is_gone = trio.Event()
    io.on("disconnect", lambda socket, reason: is_gone.set())
    async with joined(io) as (wire, _websocket, answer):
        await io.emit("news")  # it does not arrive
        with trio.fail_after(20):
            await is_gone.wait()
        await trio.sleep(29.5)
        await io.to("elsewhere").emit("others")
        back = await open_modern(wire)
        await back.send(claim(answer))
        assert parse(await back.receive())[0] == "news"


async def test_the_first_to_leave_is_forgotten(autojump_clock: MockClock) -> None:
    io = server({"max_sessions": 2})
    async with open_wire(io) as wire:
        answers = []
        for _ in range(3):
            answers.append(await join(await open_modern(wire)))
            await lose(io)
        for answer, is_back in zip(answers, (False, True, True), strict=True):
            assert (await join(await open_modern(wire), claim(answer)) == answer) == is_back
        failures = {one.recovery_failure for one in io.sockets.connected.values()}
        assert failures == {None, RecoveryFailure.EVICTED}
        kept = io.statistics().namespaces["/"].recovery
        assert (kept.evicted, kept.recovered, kept.away) == (1, 2, 0)


def kept_anywhere() -> list[object]:
    """What there is of sessions, also of other tests."""
    gc.collect()
    return [one for one in gc.get_objects() if isinstance(one, RecoverySession | Holder)]


async def test_nothing_is_left_of_those_who_do_not_come_back(autojump_clock: MockClock) -> None:
    others = kept_anywhere()
    io = server({"max_disconnection_duration": 30.0})
    alive: weakref.WeakSet[Socket] = weakref.WeakSet()

    @io.use
    async def ask(socket: Socket) -> None:
        alive.add(socket)
        if socket.handshake.auth.get("token") == "bad":
            raise ConnectionRefused("no")

    async with open_wire(io) as wire:
        for token in ("good", "bad"):
            for number in range(4):
                websocket = await open_modern(wire)
                answer = await join(websocket)
                await io.emit("news", number)
                only_socket(io).session.abort(DisconnectReason.TRANSPORT_CLOSE)
                await wait_all_tasks_blocked()
                back = await open_modern(wire)
                await back.send(claim(answer, token=token))
                await back.receive()
                if number % 2:
                    await back.send("41")
                await back.aclose()
                await wait_all_tasks_blocked()
        assert io.statistics().namespaces["/"].recovery.away == 2
        await trio.sleep(31)
    store = io.sockets.recovery
    assert store is not None
    assert not store.is_needed
    assert store.statistics().away == 0
    found = kept_anywhere()
    assert [*alive] == []
    assert [one for one in found if one not in others] == []


async def test_an_offset_that_was_never_told(autojump_clock: MockClock) -> None:
    io = server()
    async with joined(io) as (wire, websocket, answer):
        await io.emit("news")
        epoch = parse(await websocket.receive())[-1].partition(".")[0]
        await lose(io)
        back = await open_modern(wire)
        assert await join(back, claim(answer, f"{epoch}.2")) != answer
        assert only_socket(io).recovery_failure is RecoveryFailure.OFFSET


async def test_a_dynamic_namespace_stays_while_somebody_may_come_back(
    autojump_clock: MockClock,
) -> None:
    io = server({"max_disconnection_duration": 30.0})
    parent = io.of(lambda name, auth: name.startswith("/room-"))
    async with joined(io, "40/room-1,") as (wire, _websocket, answer):
        child = parent.children["/room-1"]
        (socket,) = child.connected.values()
        socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
        await wait_all_tasks_blocked()
        await parent.emit("news")
        back = await open_modern(wire)
        await back.send(claim(answer, name="/room-2,"))  # it is known in its namespace alone
        other = json.loads(str(await back.receive())[len("40/room-2,") :])
        assert other["sid"] != answer["sid"]
        await back.send(claim(answer, name="/room-1,"))
        assert str(await back.receive()).startswith('42/room-1,["news",')
        assert json.loads(str(await back.receive())[len("40/room-1,") :]) == answer
        (socket,) = child.connected.values()
        socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
        await wait_all_tasks_blocked()
        assert {*parent.children} == {"/room-1", "/room-2"}
        assert parent.statistics().recovery.away == 2
        await trio.sleep(31)
        assert not parent.children
        assert "/room-1" not in io.router.namespaces


async def test_a_namespace_to_which_nobody_comes_back_goes(autojump_clock: MockClock) -> None:
    """Also if that is found out when somebody else leaves, or asks."""
    io = server({"max_sessions": 1, "max_disconnection_duration": 30.0})
    seen: list[object] = []

    @io.of
    def accept(name: str, auth: dict[str, object]) -> bool:
        seen.append(auth)
        return True

    async with open_wire(io) as wire:
        for number in range(3):
            websocket = await open_modern(wire)
            answer = await join(websocket, f'40/{number},{{"token":1}}')
            await websocket.aclose()
            await wait_all_tasks_blocked()
        assert {*accept.children} == {"/2"}
        await trio.sleep(29)
        websocket = await open_modern(wire)
        await websocket.send(claim(answer, name="/3,", token=1))
        await websocket.receive()
        assert seen == [{"token": 1}] * 4
        await trio.sleep(2)
        assert {*accept.children} == {"/3"}


async def test_a_replay_waits_for_room_and_ends_with_what_came_meanwhile(
    autojump_clock: MockClock,
) -> None:
    io = server(max_outbox=4)
    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        for number in range(300):
            await io.emit("news", number)
        back = await open_modern(wire)
        await back.send(claim(answer))
        for number in range(300):
            assert parse(await back.receive())[1] == number
            if number < 20:
                await io.emit("late", number)
        for number in range(20):
            assert parse(await back.receive())[1] == number
        assert json.loads(str(await back.receive())[2:]) == answer


async def test_a_replay_that_is_overtaken_goes_on_at_the_next_attempt_or_says_so(
    autojump_clock: MockClock,
) -> None:
    io = server({"max_packets": 100})
    passing = trio.Event()

    @io.use
    async def ask(socket: Socket) -> None:
        if socket.recovered:
            await passing.wait()

    async with joined(io) as (wire, _websocket, answer):
        await lose(io)
        await io.emit("missed")
        back = await open_modern(wire)
        await back.send(claim(answer))
        await wait_all_tasks_blocked()
        for number in range(101):
            await io.emit("news", number)
        passing.set()
        with pytest.raises(WebSocketClosed):
            await back.receive()
        await wait_all_tasks_blocked()
        again = await open_modern(wire)
        assert await join(again, claim(answer)) != answer
        assert only_socket(io).recovery_failure is RecoveryFailure.MISSED


def counting(io: Server, monkeypatch: pytest.MonkeyPatch) -> Callable[[], int]:
    """Return what says how many events have been encoded since the last time."""
    encoder, counted = io.router.namespaces.codec.encoder, [0]
    encode = encoder.encode

    def count(packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        counted[0] += packet.event == "news"
        return encode(packet, binary=binary)

    monkeypatch.setattr(encoder, "encode", count)

    def take() -> int:
        found, counted[0] = counted[0], 0
        return found

    return take


@pytest.mark.parametrize("is_volatile", [False, True])
async def test_a_broadcast_is_encoded_once_for_each_kind(
    is_volatile: bool, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    io = server()
    take = counting(io, monkeypatch)
    everybody = io.volatile if is_volatile else io
    async with open_wire(io) as wire:
        old = [await open_modern(wire, OLD_TARGET) for _ in range(2)]
        for one in old:
            assert await one.receive() == "40"
        await everybody.emit("news", 1)
        assert take() == 1
        new = [await open_modern(wire) for _ in range(2)]
        for one in new:
            await join(one)
        await everybody.emit("news", 1)
        assert take() == 2
        for one in old:
            assert [parse(await one.receive()) for _ in range(2)] == [["news", 1]] * 2
        offsets = {parse(await one.receive())[-1] for one in new}
        assert len(offsets) == 1
        for one in old:
            await one.aclose()
        await wait_all_tasks_blocked()
        await everybody.emit("news", 1)
        assert take() == 1


async def test_messagepack(autojump_clock: MockClock) -> None:
    io = server(parser="msgpack")

    async def receive(websocket: WireWebSocket) -> Any:  # noqa: ANN401 - of a map
        packet = await websocket.receive()
        assert isinstance(packet, bytes)
        return unpack(packet)

    async with open_wire(io) as wire:
        websocket, old = await open_modern(wire), await open_modern(wire, OLD_TARGET)
        await old.receive()
        await websocket.send(pack({"type": 0, "nsp": "/"}))
        answer = await receive(websocket)
        assert {*answer["data"]} == {"sid", "pid"}
        socket = io.sockets.connected[answer["data"]["sid"]]
        await io.emit("news", b"\x01")
        name, value, offset = (await receive(websocket))["data"]
        assert (name, value) == ("news", b"\x01")
        socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
        await wait_all_tasks_blocked()
        await io.emit("news", b"\x02")
        back = await open_modern(wire)
        data = {"pid": answer["data"]["pid"], "offset": offset}
        await back.send(pack({"type": 0, "data": data, "nsp": "/"}))
        assert (await receive(back))["data"][:2] == ["news", b"\x02"]
        assert await receive(back) == answer
        for value in (b"\x01", b"\x02"):
            packet = await old.receive()
            assert isinstance(packet, bytes)
            assert unpack(packet[1:])["data"] == ["news", value]  # type: ignore[call-overload,index]  # a map


async def test_no_secret_in_the_log(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("trio_sio", "trio_sio.wire"):
        caplog.set_level(logging.DEBUG, name)
    io = server()
    async with joined(io, '40{"token":"1"}') as (wire, _websocket, answer):
        await lose(io)
        assert await join(await open_modern(wire), claim(answer)) == answer
        await lose(io)
        await join(await open_modern(wire), claim({"pid": answer["pid"][:-1] + "-"}))
        assert answer["pid"][:-1] not in caplog.text
        assert '"pid":"…"' in caplog.text
        assert "'/' is recovered, with 0 events that it missed" in caplog.text
        assert "is not recovered in '/': unknown session" in caplog.text


async def test_an_emit_that_fails_is_not_replayed(autojump_clock: MockClock) -> None:
    io = server(max_outbox=2)
    async with open_wire(io) as wire:
        polling = "/socket.io/?EIO=4&transport=polling"
        opening = await wire.request("GET", polling)
        sid = json.loads(opening.text[1:])["sid"]
        await wire.request("POST", f"{polling}&sid={sid}", body=b"40")
        answer = json.loads((await wire.request("GET", f"{polling}&sid={sid}")).text[2:])
        socket = only_socket(io)  # it has no request here, so nothing leaves
        await socket.emit("kept", 1)
        socket.emit_nowait("kept", 2)
        with pytest.raises(trio.WouldBlock):
            socket.emit_nowait("full")
        with trio.move_on_after(1) as scope:
            await socket.emit("cancelled")
        assert scope.cancelled_caught
        with pytest.raises(ValueError, match="reserved"):
            await socket.emit("connect")

        async def wait_in_vain() -> None:
            with pytest.raises(Disconnected):
                await socket.emit("waited in vain")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(wait_in_vain)
            await wait_all_tasks_blocked()
            socket.session.abort(DisconnectReason.TRANSPORT_CLOSE)
        await wait_all_tasks_blocked()
        with pytest.raises(Disconnected):
            await socket.emit("too late")
        back = await open_modern(wire)
        await back.send(claim(answer))
        assert [parse(await back.receive())[:2] for _ in range(2)] == [["kept", 1], ["kept", 2]]
        assert json.loads(str(await back.receive())[2:]) == answer


@pytest.mark.parametrize("is_away", [True, False], ids=["away", "about to be lost"])
async def test_who_is_in_the_room_of_another_one_is_not_replayed_what_only_that_one_was_sent(
    is_away: bool, autojump_clock: MockClock
) -> None:
    """A broadcast to the room is for both, an emit for one of them: also when it is replayed."""
    io = server()
    async with joined(io) as (wire, anna, answer):
        bert = await open_modern(wire)
        answer_of_bert = await join(bert)
        socket = io.sockets.connected[answer["sid"]]
        guest = io.sockets.connected[answer_of_bert["sid"]]
        await guest.join(socket.id)
        if is_away:
            guest.session.abort(DisconnectReason.TRANSPORT_CLOSE)
            await wait_all_tasks_blocked()
        await socket.emit("for anna", 1)
        await io.to(socket.id).emit("for both", 2)
        await socket.emit("for anna", 3)
        guest.session.abort(DisconnectReason.TRANSPORT_CLOSE)
        await wait_all_tasks_blocked()
        back = await open_modern(wire)
        await back.send(claim(answer_of_bert))
        assert parse(await back.receive())[:-1] == ["for both", 2]
        assert await back.receive() == f"40{json.dumps(answer_of_bert, separators=(',', ':'))}"
        heard = [parse(await anna.receive())[:-1] for _ in range(3)]
        assert heard == [["for anna", 1], ["for both", 2], ["for anna", 3]]


async def test_who_has_left_its_own_room_is_replayed_what_it_was_sent(
    autojump_clock: MockClock,
) -> None:
    io = server()
    async with joined(io) as (wire, websocket, answer):
        socket = only_socket(io)
        await socket.leave(socket.id)
        await socket.emit("news", 1)
        await socket.emit("news", 2)
        _, _, offset = parse(await websocket.receive())
        await lose(io)
        back = await open_modern(wire)
        await back.send(claim(answer, offset))
        assert parse(await back.receive())[:-1] == ["news", 2]


async def test_events_of_a_sender_are_not_replayed_to_it(autojump_clock: MockClock) -> None:
    io = server()
    async with joined(io) as (wire, _websocket, answer):
        socket = only_socket(io)
        await socket.join("quiet")
        await socket.broadcast.emit("own")
        await io.except_("quiet").emit("loud")
        await io.to("room").emit("before it was there")
        await socket.join("room")
        await socket.leave("quiet")
        await io.emit("news")
        await lose(io)
        back = await open_modern(wire)
        await back.send(claim(answer))
        assert parse(await back.receive())[0] == "news"
        assert json.loads(str(await back.receive())[2:]) == answer


def test_an_adapter_has_to_keep_what_clients_miss() -> None:
    with pytest.raises(ValueError, match=r"'connection_state_recovery'.*ClusterAdapter does not"):
        server(adapter=RedisAdapter())
    io = server()
    with pytest.raises(ValueError, match="MemoryAdapter does, for a single server"):
        io.adapter = RedisAdapter()

    class Own(MemoryAdapter):
        pass

    server(adapter=Own)


def test_what_a_client_says_besides_stays() -> None:
    auth: dict[str, JSON] = {"pid": "secret", "offset": "e.1", "token": 1}
    assert read_claim(auth) == (Claim("secret", "e.1"), {"token": 1})
    others: list[dict[str, JSON]] = [{}, {"offset": "e.1"}, {"pid": 7, "offset": 1}, {"pid": None}]
    for other in others:
        assert read_claim(other) == (None, other)


class Lossy:
    """A client whose connection is cut now and then, and what it ought to get."""

    def __init__(self, io: Server, wire: WireClient) -> None:
        self._io = io
        self._wire = wire
        self._websocket: WireWebSocket | None = None
        self._answer: dict[str, Any] = {}
        self._offset: str | None = None
        self._numbers = itertools.count()
        self._is_in = False
        self.due: list[int] = []
        self.got: list[int] = []

    async def come(self) -> None:
        """Connect, or come back; whatever was unread of the former connection is lost."""
        self._websocket = await open_modern(self._wire)
        await self._websocket.send(claim(self._answer, self._offset) if self._answer else "40")
        while not str(packet := await self._websocket.receive()).startswith("40"):
            self._take(packet)
        answer = json.loads(str(packet)[2:])
        assert answer == (self._answer or answer)
        self._answer = answer

    def _take(self, packet: str | bytes) -> None:
        name, number, self._offset = parse(packet)
        if name == "news":
            self.got.append(number)

    async def do(self, step: str) -> None:
        """Do something to it."""
        socket = self._io.sockets.connected.get(self._answer["sid"])
        number = next(self._numbers)
        if step in ("all", "room", "one", "except", "own"):
            target = {
                "all": self._io.to(),
                "room": self._io.to("room"),
                "one": self._io.to(self._answer["sid"]),
                "except": self._io.except_("room"),
                "own": self._io.except_(self._answer["sid"]),
            }[step]
            if step in ("all", "one") or (step != "own" and self._is_in == (step == "room")):
                self.due.append(number)
            await target.emit("news", number)
        elif step == "emit" and socket is not None:
            self.due.append(number)
            await socket.emit("news", number)
        elif step == "volatile":
            await self._io.volatile.emit("noise", number)
        elif step == "move" and socket is not None:
            await (socket.leave("room") if self._is_in else socket.join("room"))
            self._is_in = not self._is_in
        elif step == "cut" and socket is not None:
            await lose(self._io)
        elif step == "come":
            await self.come()
        elif step == "read" and socket is not None:
            await self.read()

    async def read(self) -> None:
        """Read all that has been sent."""
        assert self._websocket is not None
        await self._websocket.send('421["echo"]')
        while (packet := await self._websocket.receive()) != "431[]":
            self._take(packet)


STEPS = ("all", "room", "one", "except", "own", "emit", "volatile", "move", "cut", "come", "read")


@given(st.lists(st.sampled_from(STEPS), max_size=25))
def test_each_event_arrives_once_and_in_order(steps: list[str]) -> None:
    async def main() -> None:
        io = server()
        io.on("echo", lambda socket: None)
        async with open_wire(io) as wire:
            client = Lossy(io, wire)
            await client.come()
            for step in steps:
                await client.do(step)
            await client.come()
            await client.read()
            assert client.got == client.due

    trio.run(main, clock=MockClock(autojump_threshold=0))
