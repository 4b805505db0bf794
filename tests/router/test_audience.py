"""What a broadcast needs of its namespace; that ours fit is for the type checker to say."""

import re
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import trio
from trio.testing import MockClock

from trio_sio import ParentNamespace, Server, Socket
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

if TYPE_CHECKING:
    from trio_sio import Namespace, RemoteSocket
    from trio_sio.router.audience import Audience, FetchedSocket, Part

    def fits(
        namespace: Namespace, parent: ParentNamespace, socket: Socket, remote: RemoteSocket
    ) -> tuple[Audience, Audience, Part, FetchedSocket, FetchedSocket]:
        return namespace, parent, namespace, socket, remote


async def test_the_parts_are_a_namespace_itself_or_its_children(autojump_clock: MockClock) -> None:
    io = Server()
    parent = io.of(re.compile("/room-.*"))
    assert [*io.sockets.parts()] == [io.sockets]
    assert [*parent.parts()] == []
    async with connect(io, "/room-1"), connect(io, "/room-2"):
        assert [*parent.parts()] == [io.of("/room-1"), io.of("/room-2")]


VERBS: dict[str, Callable[[ParentNamespace], Awaitable[Any]]] = {
    "fetch_sockets": lambda parent: parent.fetch_sockets(),
    "clients": lambda parent: parent.clients(),
    "sockets_join": lambda parent: parent.sockets_join("red"),
    "sockets_leave": lambda parent: parent.sockets_leave("red"),
    "disconnect_sockets": lambda parent: parent.disconnect_sockets(),
    "call": lambda parent: parent.call("who?", timeout=60),
}


@pytest.mark.parametrize("generation", [2, 4])
@pytest.mark.parametrize("verb", VERBS)
async def test_what_is_asked_is_answered_though_children_go_meanwhile(
    autojump_clock: MockClock, verb: str, generation: int
) -> None:
    """Their last sockets leave, on this server, at any moment; those of others are still meant."""
    for moment in (0.0, 0.3, 0.5, 0.9, 1.3):
        cluster = MemoryCluster()
        join = partial(cluster.join, delay=0.1, generation=generation)
        one, two = (Server(adapter=join(), raise_errors=True) for _ in "12")
        parent, _ = (io.of(re.compile(r"/room-\d")) for io in (one, two))
        async with (
            one,
            two,
            connect(one, "/room-1") as anna,
            connect(one, "/room-2") as bert,
            connect(two, "/room-2"),
            trio.open_nursery() as nursery,
        ):
            await trio.sleep(1)
            away = one.of("/room-2").connected[bert.id], *two.of("/room-2").connected.values()
            done = trio.Event()

            async def ask(done: trio.Event = done, parent: ParentNamespace = parent) -> None:
                await VERBS[verb](parent)
                done.set()

            nursery.start_soon(ask)
            await trio.sleep(moment)
            await anna.leave()
            for socket in away:
                await socket.disconnect()
            with trio.fail_after(20):
                await done.wait()
        assert not any(one.router.namespaces[name].users for name in one.router.namespaces)


@pytest.mark.parametrize("generation", [2, 4])
async def test_a_namespace_that_was_asked_goes_afterwards(
    autojump_clock: MockClock, generation: int
) -> None:
    cluster = MemoryCluster()
    join = partial(cluster.join, delay=0.1, generation=generation)
    one, two = (Server(adapter=join(), raise_errors=True) for _ in "12")
    parents = [io.of(re.compile(r"/room-\d")) for io in (one, two)]
    left: list[str] = []
    for parent in parents:

        @parent.on("disconnect")
        def go(socket: Socket) -> None:
            left.append(socket.id)

    async with one, two, connect(one, "/room-1"), connect(two, "/room-1"):
        await trio.sleep(1)
        await parents[0].disconnect_sockets()
        assert len(left) == 2
        await trio.sleep(0.1)
        assert not parents[0].children
        assert not parents[1].children
