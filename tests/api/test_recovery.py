"""Connection state recovery with the real clients: each way to travel, each way to come back.

Where socket.io 4.8.4 loses or repeats something, or recovers nobody, and what holds here (`test_`
left out):

| with socket.io 4.8.4 | here |
| --- | --- |
| a client that has had no event is not recovered | `a_client_that_has_had_no_event_is_recovered` |
| nor is one whose loss the server has not noticed | each test with `losses` |
| a pid is good for several sockets at once; the last of them cannot be reached when an earlier one has ended | `an_answer_that_was_lost_is_given_again` `of_several_clients_with_one_pid_the_last_has_the_socket` |
| a text in a volatile event is taken for an offset | `a_volatile_event_does_not_spoil_the_offset` |
| when the event that an offset names is too old, nobody is recovered who names it, though nothing has been missed | `a_quiet_server_recovers_whoever_has_missed_nothing` `what_others_were_sent_makes_nobody_unrecoverable` |
| the same events are missed again and again | `missed_events_come_once_however_often_it_is_lost` |
| what middleware emits is lost | `middleware_emits_and_passes_it_again` |
| what was missed is sent before middleware refuses | `middleware_that_refuses_comes_before_what_was_missed` |
| clients that cannot be recovered get offsets | `clients_that_cannot_recover` |
"""  # noqa: E501

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import MODERN, PACKAGE, QUICKLY_BACK, Client, peer, served
from tests.support.servers import MakeServer
from trio_sio import DisconnectReason, Namespace, Recovery, RecoveryFailure, Server, Socket

pytestmark = pytest.mark.node

WAYS: dict[str, dict[str, list[str]]] = {
    "upgraded": {},
    "websocket": {"transports": ["websocket"]},
    "polling": {"transports": ["polling"]},
}
HEARD = ["news", "to one", "volatile", "pre", "asked"]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Options of a client that travels in one of the ways, and does not wait to come back."""
    return {"hear": HEARD, **WAYS[request.param], **QUICKLY_BACK}


class Visits:
    """The sockets of one server, in the order in which they connect, and why they left."""

    def __init__(self, io: Server | Namespace) -> None:
        self.reasons: list[DisconnectReason] = []
        self._put, self._get = trio.open_memory_channel[Socket](100)
        io.on("connection", self._come)
        io.on("disconnect", self._go)

    async def _come(self, socket: Socket) -> None:
        await self._put.send(socket)

    def _go(self, socket: Socket, reason: DisconnectReason) -> None:
        self.reasons.append(reason)

    async def next(self) -> Socket:
        """The next socket."""
        with trio.fail_after(60):
            return await self._get.receive()


@asynccontextmanager
async def visited(
    io: Server, way: dict[str, Any], command: tuple[str, ...] = MODERN["4.8"]
) -> AsyncIterator[tuple[Visits, Client, Socket]]:
    """A server with one client, which has connected, and has upgraded if it does."""
    visits = Visits(io)
    async with served(io) as url, peer(command) as process:
        client = await process.connect(url, **way)
        if "transports" not in way:
            await client.hear("upgrade")
        yield visits, client, await visits.next()


async def is_recovered(client: Client) -> bool:
    """Whether the client says so, once it is back."""
    await client.order("recovered")
    (recovered,) = await client.hear("recovered")
    return bool(recovered)


def grow_old(io: Server) -> None:
    """Have all events dropped that were sent until now, as if they were sent an hour ago."""
    store = io.sockets.recovery
    assert store is not None
    store.log.trim(trio.current_time() + 3600)
    assert io.statistics().namespaces["/"].recovery.packets == 0


def lose(socket: Socket) -> None:
    """Lose the connection, at the server's end."""
    socket.session.abort(DisconnectReason.TRANSPORT_ERROR)


Losing = Callable[[Client, Socket], Awaitable[None]]


async def lose_here(client: Client, socket: Socket) -> None:
    """The server notices at once."""
    lose(socket)


async def lose_there(client: Client, socket: Socket) -> None:
    """The client notices, and comes back while the server takes it for connected."""
    await client.order("vanish")


losses = pytest.mark.parametrize("losing", [lose_here, lose_there])


async def back(visits: Visits, client: Client, former: Socket) -> Socket:
    """The same socket, in the client's eyes and in the server's."""
    socket = await visits.next()
    assert await client.hear("connect") == [former.id]
    assert await is_recovered(client)
    assert socket.recovered
    assert socket.recovery_failure is None
    assert (socket.id, socket.data) == (former.id, former.data)
    assert not {"pid", "offset"} & socket.handshake.auth.keys()
    assert socket.namespace.connected == {socket.id: socket}
    return socket


@losses
async def test_what_was_missed_comes_before_connect(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery=Recovery())
    async with visited(io, way) as (visits, client, socket):
        await socket.join("room")
        socket.data["name"] = "Ada"
        await io.to("room").emit("news", 1)
        news, offset = await client.hear("news")
        assert news == 1
        assert isinstance(offset, str)
        await losing(client, socket)
        await io.to("room").emit("news", 2)
        await io.to("room").emit("news", b"\x03", "text")
        await io.to("elsewhere").emit("news", "for others")
        await io.except_("room").emit("news", "for others")
        await io.to(socket.id).emit("to one", 4)
        again = await back(visits, client, socket)
        assert again.rooms == {again.id, "room"}
        assert visits.reasons == [
            "transport error" if losing is lose_here else "transport close",
        ]
        assert (await client.hear("news"))[:-1] == [2]
        assert (await client.hear("news"))[:-1] == [b"\x03", "text"]
        assert (await client.hear("to one"))[:-1] == [4]
        await again.emit("news", "live")
        assert (await client.hear("news"))[:-1] == ["live"]
        assert io.statistics().namespaces["/"].recovery.recovered == 1


@losses
async def test_a_client_that_has_had_no_event_is_recovered(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    async with visited(io, way) as (visits, client, socket):
        await socket.join("room")
        await losing(client, socket)
        socket = await back(visits, client, socket)
        assert socket.rooms == {socket.id, "room"}
        await losing(client, socket)
        await io.to("room").emit("news", 1)
        await back(visits, client, socket)
        assert (await client.hear("news"))[:-1] == [1]


@losses
async def test_missed_events_come_once_however_often_it_is_lost(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    async with visited(io, way) as (visits, client, socket):
        for number in range(3):
            await losing(client, socket)
            await io.emit("news", number)
            socket = await back(visits, client, socket)
            assert (await client.hear("news"))[0] == number
        await losing(client, socket)
        await back(visits, client, socket)
        assert client.unheard("news") == 0


@losses
async def test_a_volatile_event_does_not_spoil_the_offset(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    async with visited(io, way) as (visits, client, socket):
        await io.emit("news", 1)
        offset = (await client.hear("news"))[-1]
        sender = io if "transports" in way else socket
        with trio.fail_after(60):
            while not client.unheard("volatile"):  # there may be no poll at this moment
                await sender.volatile.emit("volatile", "text")
                await trio.sleep(0.02)
        assert await client.hear("volatile") == ["text", offset]
        await losing(client, socket)
        await io.emit("news", 2)
        await back(visits, client, socket)
        assert (await client.hear("news"))[0] == 2


async def test_an_event_that_wants_an_answer_has_no_offset(
    way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    way = {**way, "answers": {"asked": None}}
    async with visited(io, way) as (visits, client, socket):
        assert await socket.call("asked", "text") == "text"
        assert await client.hear("asked") == ["text"]
        lose(socket)
        await back(visits, client, socket)


@losses
async def test_what_others_were_sent_makes_nobody_unrecoverable(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    """The event that its offset names is long gone, and it has missed nothing."""
    io = make_server(connection_state_recovery=Recovery(max_packets=2))
    async with visited(io, way) as (visits, client, socket):
        await io.emit("news", 1)
        await client.hear("news")
        for number in range(10):
            await io.to("elsewhere").emit("news", number)
        await losing(client, socket)
        if losing is lose_here:
            await io.emit("news", 2)
        await back(visits, client, socket)
        assert client.unheard("news") == (losing is lose_here)


@losses
async def test_an_answer_that_was_lost_is_given_again(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    """The client asks twice with the same pid and offset; the former answer has a socket, too."""
    io = make_server(connection_state_recovery={})
    async with visited(io, way) as (visits, client, socket):
        await socket.join("room")
        await io.to("room").emit("news", 1)
        assert (await client.hear("news"))[0] == 1
        await client.order("miss")
        await client.hear("missing")
        await losing(client, socket)
        await client.hear("disconnect")
        await io.to("room").emit("news", 2)
        unheard = await visits.next()
        assert unheard.recovered
        assert unheard.id == socket.id
        again = await back(visits, client, socket)
        assert again is not unheard
        assert not unheard.connected
        assert visits.reasons[1:] == ["transport close"]
        assert again.rooms == {again.id, "room"}
        await io.to("room").emit("news", 3)
        assert (await client.hear("news"))[0] == 2
        assert (await client.hear("news"))[0] == 3
        await again.emit("to one", "last")
        assert (await client.hear("to one"))[0] == "last"
        assert client.unheard("news") == 0


@losses
async def test_of_several_clients_with_one_pid_the_last_has_the_socket(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    way = {**way, "reconnection": False}
    async with visited(io, way) as (visits, client, socket):
        url = f"http://{socket.handshake.headers['host']}"
        await socket.join("room")
        await io.to("room").emit("news", 1)
        assert (await client.hear("news"))[0] == 1
        await losing(client, socket)
        await client.hear("disconnect")
        await io.to("room").emit("news", 2)
        hear = {"hear": way["hear"], "answers": {}}
        copies = [client.sibling() for _ in range(3)]
        for number, copy in enumerate(copies):
            await copy.order("copy", client.number, url, {**way, **hear})
            again = await back(visits, copy, socket)
            assert len(visits.reasons) == number + 1
            assert (await copy.hear("news"))[0] == 2
            if number:
                await copies[number - 1].hear("disconnect")
        assert visits.reasons[1:] == ["transport close"] * 2
        assert io.sockets.connected == {socket.id: again}
        assert again.rooms == {again.id, "room"}
        await io.to("room").emit("news", 3)
        assert (await copies[-1].hear("news"))[0] == 3
        await io.to(socket.id).emit("to one", 4)
        assert (await copies[-1].hear("to one"))[0] == 4
        assert [one.unheard("news") for one in (client, *copies)] == [0] * 4


@losses
@pytest.mark.parametrize("is_quiet", [True, False])
async def test_a_quiet_server_recovers_whoever_has_missed_nothing(
    is_quiet: bool, losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    """The event that its offset names is too old; what counts is whether a newer one is gone."""
    io = make_server(connection_state_recovery={})
    async with visited(io, {**way, "reconnection": False}) as (visits, client, socket):
        await io.emit("news", 1)
        assert (await client.hear("news"))[0] == 1
        await losing(client, socket)
        await client.hear("disconnect")
        if not is_quiet:
            await io.emit("news", 2)
        grow_old(io)
        await io.emit("news", 3)
        await client.order("connect")
        if is_quiet:
            await back(visits, client, socket)
            assert (await client.hear("news"))[0] == 3
            return
        another = await visits.next()
        assert another.recovery_failure is RecoveryFailure.MISSED
        assert await client.hear("connect") == [another.id]
        assert not await is_recovered(client)
        assert client.unheard("news") == 0


async def test_who_has_missed_too_much_is_told(
    way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery=Recovery(max_packets=2))
    async with visited(io, way) as (visits, client, socket):
        await socket.join("room")
        socket.data["name"] = "Ada"
        lose(socket)
        for number in range(3):
            await io.emit("news", number)
        another = await visits.next()
        assert await client.hear("connect") != [socket.id]
        assert not await is_recovered(client)
        assert not another.recovered
        assert another.recovery_failure is RecoveryFailure.MISSED
        assert another.rooms == {another.id}
        assert not another.data
        assert client.unheard("news") == 0
        failed = io.statistics().namespaces["/"].recovery.failed
        assert failed["missed events are gone"] == 1


@losses
async def test_middleware_emits_and_passes_it_again(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})

    @io.use
    async def greet(socket: Socket) -> None:
        await socket.emit("pre", "text")

    async with visited(io, way) as (visits, client, socket):
        assert await client.hear("pre") == ["text"]  # it has no pid yet, nor knows offsets
        await losing(client, socket)
        await io.emit("news", 1)
        socket = await back(visits, client, socket)
        text, offset = await client.hear("pre")
        assert text == "text"
        assert offset != "text"
        assert (await client.hear("news"))[0] == 1
        await losing(client, socket)
        await back(visits, client, socket)
        assert client.unheard("news") == 0


async def test_middleware_that_refuses_comes_before_what_was_missed(
    way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    banned = False
    rooms: list[object] = []

    @io.use
    async def ask(socket: Socket) -> None:
        rooms.append(socket.rooms)
        if banned:
            raise trio_sio.ConnectionRefused("banned")

    async with visited(io, way) as (_visits, client, socket):
        await socket.join("room")
        banned = True
        lose(socket)
        await io.to("room").emit("news", "secret")
        await client.hear("connect_error")
        assert client.unheard("news") == 0
        assert rooms == [frozenset(), frozenset()]
        banned = False
        await client.order("connect")
        assert await client.hear("connect") != [socket.id]  # its session has been used
        assert client.unheard("news") == 0


async def test_middleware_can_be_skipped(way: dict[str, Any], make_server: MakeServer) -> None:
    io = make_server(connection_state_recovery=Recovery(skip_middlewares=True))
    asked = 0

    @io.use
    async def ask(socket: Socket) -> None:
        nonlocal asked
        asked += 1

    async with visited(io, way) as (visits, client, socket):
        lose(socket)
        await back(visits, client, socket)
        assert asked == 1


@pytest.mark.parametrize("by_server", [True, False])
async def test_an_end_that_somebody_wanted_is_final(
    by_server: bool, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    async with visited(io, way) as (visits, client, socket):
        if by_server:
            await socket.disconnect()
        else:
            await client.close()
        await client.hear("disconnect")
        await client.order("connect")
        another = await visits.next()
        assert another.recovery_failure is RecoveryFailure.UNKNOWN
        assert await client.hear("connect") == [another.id]
        assert another.id != socket.id


async def test_a_server_that_was_restarted_begins_anew(
    way: dict[str, Any], make_server: MakeServer
) -> None:
    """The client keeps an offset of the former server, until it gets one of this."""
    first, second = (make_server(connection_state_recovery={}) for _ in range(2))
    visits = Visits(second)
    async with peer(MODERN["4.8"]) as process:
        async with served(first) as url:
            client = await process.connect(url, **way)
            await first.emit("news", 1)
            assert (await client.hear("news"))[0] == 1
        port = int(url.rpartition(":")[2])
        async with served(second, port):
            socket = await visits.next()
            assert socket.recovery_failure is RecoveryFailure.UNKNOWN
            assert await client.hear("connect") == [socket.id]
            assert not await is_recovered(client)
            lose(socket)
            await second.emit("news", 2)
            await back(visits, client, socket)
            assert (await client.hear("news"))[0] == 2
            assert client.unheard("news") == 0


@losses
async def test_each_namespace_has_a_socket_of_its_own(
    losing: Losing, way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server(connection_state_recovery={})
    chat = io.of("/chat")
    visits = Visits(chat)
    of_root = Visits(io)
    async with served(io) as url, peer(MODERN["4.8"]) as process:
        client = await process.connect(url, **way)
        if "transports" not in way:
            await client.hear("upgrade")
        root = await of_root.next()
        other = process.add_client()
        await other.order("share", client.number, "/chat", {"hear": HEARD, "answers": {}})
        former = await visits.next()
        assert await other.hear("connect") == [former.id]
        assert not await is_recovered(other)
        await former.join("room")
        await losing(client, root)
        await chat.to("room").emit("news", "in the room")
        await io.emit("news", "everywhere")
        await back(of_root, client, root)
        again = await back(visits, other, former)
        assert again.rooms == {again.id, "room"}
        assert (await other.hear("news"))[0] == "in the room"
        assert (await client.hear("news"))[0] == "everywhere"
        assert client.unheard("news") == other.unheard("news") == 0


async def test_without_the_option_nothing_is_kept(
    way: dict[str, Any], make_server: MakeServer
) -> None:
    io = make_server()
    async with visited(io, way) as (visits, client, socket):
        await io.emit("news", "text")
        assert await client.hear("news") == ["text"]
        lose(socket)
        another = await visits.next()
        assert (another.recovered, another.recovery_failure) == (False, None)
        assert await client.hear("connect") == [another.id]


@pytest.mark.parametrize("release", ["2.5", "3.1", "4.0"])
async def test_clients_that_cannot_recover(
    release: str, way: dict[str, Any], make_server: MakeServer
) -> None:
    """Clients of 2.x never see an offset; others cannot be told from those that can."""
    io = make_server(connection_state_recovery={})
    command = PACKAGE if release == "2.5" else MODERN[release]
    async with visited(io, way, command) as (visits, client, socket):
        await socket.join("room")
        async with peer(MODERN["4.8"]) as process:
            url = f"http://{socket.handshake.headers['host']}"
            modern = await process.connect(url, **way)
            other = await visits.next()
            await other.join("room")
            await io.to("room").emit("news", b"\x01")
            value, *offset = await client.hear("news")
            assert value == b"\x01"
            assert await modern.hear("news") == [value, *(offset or [modern_offset(io)])]
            assert bool(offset) == (release != "2.5")
            await socket.emit("to one", "text")
            assert len(await client.hear("to one")) == 1 + bool(offset)
            lose(socket)
            await io.to("room").emit("news", 2)
            another = await visits.next()
            assert not another.recovered
            assert another.recovery_failure is None
            assert (await modern.hear("news"))[0] == 2
            await io.emit("news", 3)
            assert (await client.hear("news"))[0] == 3


def modern_offset(io: Server) -> str:
    """The offset of the newest event."""
    store = io.sockets.recovery
    assert store is not None
    return store.current_offset()
