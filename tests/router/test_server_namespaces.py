"""A server's namespaces: it makes them, and its verbs are those of "/"."""

import re

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import Namespace, ParentNamespace, Server
from trio_sio.testing import connect


def test_of() -> None:
    io = Server()
    assert isinstance(io.of("/chat"), Namespace)
    assert io.of("chat") is io.of("/chat")
    assert io.of("/") is io.sockets
    assert isinstance(io.of(re.compile("/x")), ParentNamespace)
    assert isinstance(io.of(lambda name, query: True), ParentNamespace)
    for wrong in (None, 5, b"/chat"):
        with pytest.raises(TypeError, match="a name, a compiled pattern or a function"):
            io.of(wrong)  # type: ignore[call-overload]


async def test_verbs_are_those_of_the_root(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    story = []
    io.use(lambda socket: story.append("middleware"))
    io.on("connection", lambda socket: story.append("connection"))
    io.once("x", lambda socket: story.append("once"))
    assert io.event_names() == io.sockets.event_names() == ["connection", "x"]
    async with connect(io) as client:
        await client.emit("x")
        await client.emit("x")
        await wait_all_tasks_blocked()
        assert await io.clients() == await io.sockets.clients() == {client.id}
        await io.send("hello")
        assert await client.receive() == ["message", "hello"]
        assert repr(io) == "<Server at '/socket.io', 1 clients>"
    assert story == ["middleware", "connection", "once"]
    io.remove_all_listeners()
    assert io.sockets.event_names() == []
