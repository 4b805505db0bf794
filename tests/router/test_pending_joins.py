"""What joins wait for: which is next, which are sockets, and which are given up."""

import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import Packet, PacketType, Server, Socket
from trio_sio.router.pending_joins import NOTHING, AwaitsRoot, PendingJoins
from trio_sio.testing import connect


def test_those_that_wait_for_the_root_come_in_their_order() -> None:
    io = Server()
    pending = PendingJoins()
    assert pending.next_waiting() is None
    first, second = (AwaitsRoot({"n": name}, io.of(name)) for name in ("/b", "/a"))
    pending.update({"/c": None, "/d": trio.CancelScope(), "/b": first, "/a": second})
    assert pending.next_waiting() == ("/b", first)
    del pending["/b"]
    assert pending.next_waiting() == ("/a", second)
    del pending["/a"]
    assert pending.next_waiting() is None
    assert list(pending) == ["/c", "/d"]


def test_functions_are_given_up_and_nothing_else() -> None:
    scopes = [trio.CancelScope() for _ in range(2)]
    pending = PendingJoins({"/a": scopes[0], "/b": None, "/c": scopes[1]})
    pending.cancel()
    assert [scope.cancel_called for scope in scopes] == [True, True]
    assert list(pending) == ["/a", "/b", "/c"]


async def test_sockets_that_middleware_has_not_let_in() -> None:
    io = Server()
    seen: list[Socket] = []
    decided = trio.Event()

    @io.of("/slow").use
    async def think(socket: Socket) -> None:
        seen.append(socket)
        await decided.wait()

    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/slow"))
        await wait_all_tasks_blocked()
        (joins,) = [one.joins for one in io.router.clients]
        assert joins.pending == 1
        pending = PendingJoins({"/slow": seen[0], "/other": None})
        assert pending.sockets() == seen == joins.all()[1:]
        decided.set()
    assert not NOTHING  # which all clients share
