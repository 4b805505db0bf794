"""A socket that sends more events than `max_events_per_second`: what each policy does."""

import logging

import pytest
import trio
from hypothesis import HealthCheck, given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from trio_sio import DisconnectDetail, Disconnected, Server, Socket
from trio_sio.options import FloodPolicy
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.router.rate_limit import TELL_EVERY
from trio_sio.testing import MemoryClient, connect

TOLD = "more than 2 events a second (max_events_per_second)"


class Hall:
    """A server that notes what it hears, and when."""

    def __init__(self, policy: FloodPolicy, burst: int | None = 3) -> None:
        self.io = Server(max_events_per_second=2, event_burst=burst, on_flood=policy)
        self.heard: list[tuple[float, object]] = []
        self.ends: list[DisconnectDetail | None] = []
        self.io.on("say", self._note)
        self.io.on("disconnect", lambda socket, _: self.ends.append(socket.detail))

    def _note(self, socket: Socket, what: object) -> object:
        self.heard.append((trio.current_time(), what))
        return what

    @property
    def words(self) -> list[object]:
        return [what for _, what in self.heard]


async def errors(client: MemoryClient, count: int) -> list[object]:
    """The data of the ERROR packets that come next."""
    packets = [await client.receive_packet() for _ in range(count)]
    assert {packet.type for packet in packets} == {PacketType.ERROR}
    return [packet.data for packet in packets]


async def test_there_is_no_limit_unless_somebody_asks(autojump_clock: MockClock) -> None:
    io = Server()
    heard: list[int] = []
    io.on("say", lambda _, number: heard.append(number))
    async with connect(io) as client:
        for number in range(1000):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
    assert heard == list(range(1000))


async def test_disconnect(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    hall = Hall("disconnect")
    async with connect(hall.io) as other, connect(hall.io) as client:
        for number in range(4):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
        with pytest.raises(Disconnected):
            await client.emit("say", 4)
        assert await errors(client, 1) == [TOLD]
        assert hall.words == [0, 1, 2]
        (detail,) = hall.ends
        assert detail is not None
        assert detail.reason == "forced close"
        assert (detail.option, detail.limit) == ("max_events_per_second", 2)
        assert await other.call("say", "other") == ["other"]
    assert hall.io.statistics().limits == {"max_events_per_second": 1}
    assert sum("max_events_per_second" in message for message in caplog.messages) == 1


async def test_drop(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    """The client stays, and is told now and then, as is the log."""
    caplog.set_level(logging.INFO)
    hall = Hall("drop")
    async with connect(hall.io) as client:
        for number in range(10):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
        assert hall.words == [0, 1, 2]
        assert await errors(client, 1) == [TOLD + ": some are dropped"]
        await trio.sleep(1)
        for number in range(10, 20):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
        assert hall.words == [0, 1, 2, 10, 11]
        await trio.sleep(TELL_EVERY)
        assert await client.call("say", "x") == ["x"]  # nobody told it anything in between
        for number in range(20, 30):
            await client.emit("say", number)
        assert await errors(client, 1) == [TOLD + ": some are dropped"]
        assert hall.ends == []
        assert hall.io.statistics().limits == {"max_events_per_second": 7 + 8 + 8}
    told = [message for message in caplog.messages if TOLD in message]
    assert [message.partition(" … ")[2] for message in told] == [
        "",
        "and 14 more like it in the last 10 s",
        "",
        "and 7 more like it in the last 1 s",
    ]


async def test_wait(autojump_clock: MockClock) -> None:
    """The client is read no faster than it may send; nothing is lost."""
    hall = Hall("wait")
    start = trio.current_time()
    async with connect(hall.io) as client:
        for number in range(10):
            await client.emit("say", number)
        assert await client.call("say", 10) == [10]
    assert hall.words == list(range(11))
    assert [moment - start for moment, _ in hall.heard] == pytest.approx(
        [0, 0, 0, 0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4]
    )
    assert hall.io.statistics().limits == {"max_events_per_second": 8}


async def test_a_client_that_waits_can_go(autojump_clock: MockClock) -> None:
    hall = Hall("wait")
    async with connect(hall.io) as client:
        for number in range(10):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
        (socket,) = hall.io.sockets.connected.values()
        await socket.disconnect(close=True)
        before = trio.current_time()
        await wait_all_tasks_blocked()
        assert not hall.io.sockets.connected
        assert trio.current_time() == before


@pytest.mark.parametrize(("burst", "at_once"), [(None, 2), (1, 1), (5, 5)])
async def test_how_many_may_come_at_once(
    burst: int | None, at_once: int, autojump_clock: MockClock
) -> None:
    hall = Hall("drop", burst)
    async with connect(hall.io) as client:
        for number in range(10):
            await client.emit("say", number)
        await wait_all_tasks_blocked()
    assert hall.words == list(range(at_once))


async def test_names_that_nobody_hears_count_too(autojump_clock: MockClock) -> None:
    """Reserved ones and those without a handler; answers and namespaces do not."""
    hall = Hall("drop")
    hall.io.of("/a")
    async with connect(hall.io) as client:
        await client.emit("disconnect", "evil")
        await client.emit("unknown")
        await client.join("/a")
        for _ in range(5):
            await client.send_packet(Packet(PacketType.ACK, "/", [], 99))
        await client.emit("say", 1)
        await client.emit("say", 2)
        await wait_all_tasks_blocked()
    assert hall.words == [1]


class Rooms:
    """Several namespaces of one server with a limit, in which events are counted."""

    def __init__(self, policy: FloodPolicy) -> None:
        self.io = Server(max_events_per_second=2, event_burst=10, on_flood=policy)
        self.handled = 0
        self.joined = 0
        for name in ("/", "/a", "/b", "/c"):
            self.io.of(name).on("say", self._count)
            self.io.of(name).on("connection", self._count_join)

    def _count(self, socket: Socket) -> None:
        self.handled += 1

    def _count_join(self, socket: Socket) -> None:
        self.joined += 1


PACKETS = st.lists(
    st.tuples(
        st.sampled_from([PacketType.CONNECT, PacketType.DISCONNECT, PacketType.EVENT]),
        st.sampled_from(["/", "/a", "/b", "/c"]),
    ),
    max_size=120,
)


@pytest.mark.parametrize("policy", ["drop", "wait", "disconnect"])
@examples(30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(packets=PACKETS)
async def test_no_order_of_joining_and_leaving_gets_a_client_more_than_its_share(
    autojump_clock: MockClock, policy: FloodPolicy, packets: list[tuple[PacketType, str]]
) -> None:
    rooms = Rooms(policy)
    async with connect(rooms.io) as client:
        begun = trio.current_time()
        for kind, name in packets:
            data: list[JSON] | None = ["say"] if kind is PacketType.EVENT else None
            try:
                await client.send_packet(Packet(kind, name, data))
            except Disconnected:
                break
        await wait_all_tasks_blocked()
        seconds = trio.current_time() - begun
        assert rooms.handled + rooms.joined - 1 <= 10 + 2 * seconds + 1


async def test_a_join_that_is_dropped_is_answered(autojump_clock: MockClock) -> None:
    """Or the client would wait for it for ever."""
    rooms = Rooms("drop")
    async with connect(rooms.io) as client:
        for _ in range(10):
            await client.emit("say")
        await client.send_packet(Packet(PacketType.CONNECT, "/a"))
        await client.send_packet(Packet(PacketType.CONNECT, "/a"))
        await wait_all_tasks_blocked()
        assert (rooms.handled, rooms.joined) == (10, 1)
        assert client.session.limits == {"max_events_per_second": 2}
        await trio.sleep(1)
        await client.send_packet(Packet(PacketType.CONNECT, "/a"))
        await wait_all_tasks_blocked()
        assert rooms.joined == 2
