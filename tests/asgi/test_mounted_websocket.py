"""A WebSocket that another server has: sends can be cancelled, and one message is under way."""

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.asgi_peer import asked, websocket_scope
from trio_sio.asgi import Application
from trio_sio.asgi.types import Message, Receive, Scope, Send

QUERY = "EIO=3&transport=websocket"


async def test_a_client_that_does_not_read_is_left_by_its_session(
    autojump_clock: MockClock,
) -> None:
    """Although the other server's sends cannot be cancelled."""
    async with trio_sio.Server(max_outbox=8, on_overflow="disconnect") as io:
        async with asked(Application(io), websocket_scope(QUERY)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            (session,) = io.engine.sessions.values()
            peer.stuck = trio.Event()
            began = trio.current_time()
            count = 0
            while not session.closed:
                await io.emit("news", "x" * 1000)
                await trio.testing.wait_all_tasks_blocked()
                count += 1
            assert count <= 8 + 3  # the outbox, and what is under way
            await session.wait_closed()
            assert session.reason == "slow consumer"
            assert trio.current_time() - began < 10
            assert not peer.is_over  # that is the other server's


async def test_the_server_ends_although_a_client_does_not_read(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    ending, ended = trio.Event(), trio.Event()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def live() -> None:
            async with io:
                await ending.wait()
            ended.set()

        await trio.testing.wait_all_tasks_blocked()
        async with asked(Application(io), websocket_scope(QUERY)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            peer.stuck = trio.Event()
            await io.emit("news")
            ending.set()
            await ended.wait()
            assert not peer.is_over  # that is the other server's


async def test_messages_in_their_order_then_the_close() -> None:
    async with trio_sio.Server() as io:
        async with asked(Application(io), websocket_scope(QUERY)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            for number in range(20):
                await io.emit("n", number)
            (session,) = io.engine.sessions.values()
            session.close()
            await peer.wait(lambda: peer.is_over)
        assert peer.texts[-20:] == [f'42["n",{number}]' for number in range(20)]
        assert peer.sent[-1] == {"type": "websocket.close", "code": 1000}


@pytest.mark.parametrize(
    ("b64", "expected"), [("", {"bytes": b"\x04\x00\x01"}), ("&b64=1", {"text": "b4AAE="})]
)
async def test_binary(b64: str, expected: dict[str, object]) -> None:
    async with trio_sio.Server() as io:
        async with asked(Application(io), websocket_scope(QUERY + b64)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            await io.emit("b", b"\x00\x01")
            message = {"type": "websocket.send", **expected}
            await peer.wait(lambda: message in peer.sent)


async def test_a_server_that_says_that_the_client_has_left() -> None:
    """By an OSError (ASGI, "Disconnected Client")."""
    async with trio_sio.Server() as io:
        app = Application(io)

        async def closing(scope: Scope, receive: Receive, send: Send) -> None:
            async def failing(message: Message) -> None:
                if message.get("text", "").startswith("42"):
                    raise OSError("gone")
                await send(message)

            await app(scope, receive, failing)

        async with asked(closing, websocket_scope(QUERY)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            (session,) = io.engine.sessions.values()
            await io.emit("one")
            await trio.testing.wait_all_tasks_blocked()
            await io.emit("two")
            await peer.wait(lambda: peer.is_over)
            assert session.reason == "transport close"
