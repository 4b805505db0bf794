"""A session as the router sees it: whatever fits the interface can be served."""

from collections.abc import Coroutine
from typing import Any

import trio

from trio_sio import Server, Socket
from trio_sio.abc import Session
from trio_sio.testing import connect


async def test_the_router_asks_nothing_else_of_a_session(autojump_clock: trio.abc.Clock) -> None:
    """Every attribute that is read of a session is one of the interface."""
    asked: set[str] = set()

    class Watched:
        def __init__(self, session: Session) -> None:
            self._session = session

        def __getattr__(self, name: str) -> object:
            asked.add(name)
            return getattr(self._session, name)

    class WatchedServer(Server):
        def serve_session(self, session: Session) -> Coroutine[Any, Any, None]:
            return super().serve_session(Watched(session))  # type: ignore[arg-type]

    io = WatchedServer()

    @io.on("connection")
    def connection(socket: Socket) -> None:
        @socket.on("echo")
        async def echo(value: int) -> int:
            await socket.emit("heard", value)
            await socket.broadcast.emit("other")
            return value

    async with connect(io) as anna:
        assert await anna.call("echo", 1) == [1]
        assert await anna.receive() == ["heard", 1]
    assert "receive" in asked
    declared = {*vars(Session), *Session.__annotations__}
    assert asked <= declared
