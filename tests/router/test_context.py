"""What all clients of a server share comes from its options, and is the same object for all."""

import pytest
from trio.testing import MockClock

from trio_sio import LimitReached, Server, Socket
from trio_sio.testing import connect


async def test_it_has_the_servers_options_and_numbers(autojump_clock: MockClock) -> None:
    io = Server(max_rooms=1, max_inbox=7, grace=2.5)
    context = io.router.context
    assert (context.options.max_rooms, context.options.max_inbox, context.grace) == (1, 7, 2.5)
    assert context.counters is io.engine.runtime.counters
    assert context.log is io.engine.runtime.log
    sockets: list[Socket] = []
    for namespace in (io, io.of("/chat")):
        namespace.on("connection", sockets.append)
    async with connect(io), connect(io, "/chat"):
        assert len(sockets) == 3
        assert {id(socket.namespace.context) for socket in sockets} == {id(context)}
        for socket in sockets:
            with pytest.raises(LimitReached):
                await socket.join("a", "b")
