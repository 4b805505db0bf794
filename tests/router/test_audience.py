"""What a broadcast needs of its namespace; that ours fit is for the type checker to say."""

import re
from typing import TYPE_CHECKING

from trio.testing import MockClock

from trio_sio import Server
from trio_sio.testing import connect

if TYPE_CHECKING:
    from trio_sio import Namespace, ParentNamespace, RemoteSocket, Socket
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
