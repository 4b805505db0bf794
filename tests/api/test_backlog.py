"""Slow clients: the application is told who falls behind, and who has caught up."""

import trio
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.support.peers import served
from tests.support.raw import raw
from tests.support.servers import MakeServer


class Told:
    """What a handler of `on_backlog` was told, and when to look."""

    def __init__(self) -> None:
        self.all: list[tuple[trio_sio.Socket, bool]] = []
        self.happened = trio.Event()

    def __call__(self, socket: trio_sio.Socket, is_behind: bool) -> None:
        self.all.append((socket, is_behind))
        self.happened.set()

    async def next(self) -> tuple[trio_sio.Socket, bool]:
        """Wait for the next."""
        await self.happened.wait()
        self.happened = trio.Event()
        return self.all[-1]


async def test_who_does_not_poll_falls_behind(make_server: MakeServer) -> None:
    io = make_server(max_outbox=10, high_water=0.3, low_water=0.1)
    told = Told()
    io.on_backlog(told)
    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        (socket,) = io.sockets.connected.values()
        for _ in range(3):
            await io.emit("xy")
        await wait_all_tasks_blocked(0.01)
        assert told.all == []
        assert not socket.statistics().is_behind
        await io.emit("xy")
        assert await told.next() == (socket, True)
        now = socket.statistics()
        assert (now.queued, now.is_behind, now.dropped) == (4, True, 0)
        assert isinstance(now, trio_sio.SessionStatistics)
        assert io.statistics().behind == 1
        assert await polling.get() == (200, b'8:42["xy"]' * 4)
        assert await told.next() == (socket, False)
        assert not socket.statistics().is_behind
        assert io.statistics().behind == 0
        assert len(told.all) == 2


async def test_who_does_not_read_falls_behind(make_server: MakeServer) -> None:
    io = make_server(on_overflow="drop_newest")
    told = Told()
    io.on_backlog(told)
    async with served(io) as url, raw(url) as wire:
        stopped, _ = await wire.joined(), await wire.joined()
        slow, _ = io.sockets.connected.values()
        sent = 0
        while not told.all:
            await slow.emit("xy", "x" * 1_000_000)  # the kernel takes the first few
            await wait_all_tasks_blocked(0.01)
            sent += 1
        assert told.all == [(slow, True)]
        assert slow.statistics().queued_bytes > 4 * 2**20
        for _ in range(sent):
            await stopped.receive_frame()
        while told.all[-1][1]:
            await told.next()
        assert told.all == [(slow, True), (slow, False)]
        assert slow.statistics().queued == 0


async def test_each_socket_of_a_client_is_told_where_it_is_listened_for(
    make_server: MakeServer,
) -> None:
    io = make_server(max_outbox=4)
    told: list[object] = []
    io.of("/chat").on_backlog(lambda socket, is_behind: told.append((socket.nsp.name, is_behind)))
    io.of("/quiet")

    @io.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        socket.on_backlog(told.append)

    async with served(io) as url, raw(url) as wire:
        polling = await wire.polling()
        await polling.post(b"8:40/chat,9:40/quiet,")
        await polling.get()
        for _ in range(3):
            await io.emit("xy")
        await wait_all_tasks_blocked(0.01)
        await polling.get()
        await wait_all_tasks_blocked(0.01)
        assert sorted(map(str, told[:2])) == ["('/chat', True)", "True"]
        assert sorted(map(str, told[2:])) == ["('/chat', False)", "False"]
