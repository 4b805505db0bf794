"""Whoever waits for something of a client is woken at each of its ends."""

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    Client,
    Disconnected,
    DisconnectReason,
    Packet,
    PacketType,
    Server,
    Session,
    Socket,
)
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType
from trio_sio.testing import MemoryClient, connect

GRACE = 4.0
Waiter = Callable[[Socket], Awaitable[object]]
End = Callable[[Server, Socket, MemoryClient], Awaitable[object]]


# -- what is waited for ---------------------------------------------------------------------------


async def an_answer(socket: Socket) -> None:
    await socket.call("question", timeout=None)


async def no_pending_answer(socket: Socket) -> None:
    await socket.sender.acks.wait_empty()


async def an_idle_inbox(socket: Socket) -> None:
    await socket.inbox.wait_idle()


async def room_in_the_inbox(socket: Socket) -> None:
    packet = Packet(PacketType.EVENT, "/", ["work"])
    with suppress(trio.ClosedResourceError):
        for _ in range(3):
            await socket.inbox.send(packet)


async def the_end_of_concurrent_handlers(socket: Socket) -> None:
    await socket.background.wait_done()


async def room_in_the_outbox(socket: Socket) -> None:
    for number in range(100):
        await socket.emit("filler", number)


async def all_heard(socket: Socket) -> None:
    assert isinstance(socket.client, Client)
    await socket.client.wait_heard()


async def the_end_of_the_session(socket: Socket) -> None:
    await socket.session.wait_closed()


async def the_end_of_the_application(socket: Socket) -> None:
    assert isinstance(socket.session, Session)
    await socket.session.wait_application_done()


WAITERS: list[Waiter] = [
    *(an_answer, no_pending_answer, an_idle_inbox, room_in_the_inbox),
    *(the_end_of_concurrent_handlers, room_in_the_outbox, all_heard),
]
OF_THE_SESSION: list[Waiter] = [the_end_of_the_session, the_end_of_the_application]


# -- how it ends ----------------------------------------------------------------------------------


async def the_client_leaves(io: Server, socket: Socket, client: MemoryClient) -> None:
    socket.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)  # its packets wait behind others


async def the_connection_is_lost(io: Server, socket: Socket, client: MemoryClient) -> None:
    client.session.abort(DisconnectReason.TRANSPORT_CLOSE)


async def the_client_closes(io: Server, socket: Socket, client: MemoryClient) -> None:
    with trio.move_on_after(1):
        await client.send_engine_packet(EnginePacket(EnginePacketType.CLOSE))
    client.session.close()


async def it_is_shown_out(io: Server, socket: Socket, client: MemoryClient) -> None:
    await socket.disconnect()


async def it_is_disconnected(io: Server, socket: Socket, client: MemoryClient) -> None:
    await socket.disconnect(close=True)


async def the_session_is_closed(io: Server, socket: Socket, client: MemoryClient) -> None:
    client.session.close()


async def it_falls_silent(io: Server, socket: Socket, client: MemoryClient) -> None:
    await trio.sleep(60)


async def a_task_fails(io: Server, socket: Socket, client: MemoryClient) -> None:
    async def fail() -> None:
        raise ValueError("a mistake")

    socket.nursery.start_soon(fail)


async def its_nursery_is_cancelled(io: Server, socket: Socket, client: MemoryClient) -> None:
    socket.nursery.cancel_scope.cancel()


async def the_server_closes(io: Server, socket: Socket, client: MemoryClient) -> None:
    await io.aclose()


async def it_drains(io: Server, socket: Socket, client: MemoryClient) -> None:
    await io.drain(grace=GRACE, spread=0)


ENDS: list[End] = [
    *(the_client_leaves, the_connection_is_lost, the_client_closes, it_is_shown_out),
    *(it_is_disconnected, the_session_is_closed, it_falls_silent, a_task_fails),
    *(its_nursery_is_cancelled, the_server_closes, it_drains),
]
OF_THE_SOCKET_ALONE = (the_client_leaves, it_is_shown_out, a_task_fails, its_nursery_is_cancelled)


@pytest.mark.parametrize("is_in_a_namespace", [False, True])
@pytest.mark.parametrize("end", ENDS)
async def test_everybody_is_woken(
    end: End, is_in_a_namespace: bool, autojump_clock: MockClock
) -> None:
    io = Server(grace=GRACE, max_inbox=1, max_outbox=10, on_overflow="drop_newest")
    name = "/chat" if is_in_a_namespace else "/"

    async def work(socket: Socket) -> None:
        with suppress(Disconnected):
            await trio.sleep_forever()

    io.of(name).on("work", work)
    io.of(name).on("beside", work, concurrent=True)
    woken: list[Waiter] = []

    async def wait(waiter: Waiter, socket: Socket) -> None:
        with suppress(Disconnected):
            await waiter(socket)
        woken.append(waiter)
        if len(woken) == len(waiters):
            everybody.set()

    everybody = trio.Event()
    waiters = WAITERS if end in OF_THE_SOCKET_ALONE else WAITERS + OF_THE_SESSION
    if end in OF_THE_SOCKET_ALONE:
        waiters = [one for one in waiters if one not in (all_heard, room_in_the_outbox)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(io)
        nursery = await stack.enter_async_context(trio.open_nursery())
        heartbeat = end is not it_falls_silent
        client = await stack.enter_async_context(
            connect(io, name, heartbeat=heartbeat, raise_errors=False, buffer=1)
        )
        await wait_all_tasks_blocked()
        (socket,) = io.of(name).sockets.values()
        for event in ("beside", "work", "work", "work"):
            await client.emit(event)
        await wait_all_tasks_blocked()
        for waiter in waiters:
            nursery.start_soon(wait, waiter, socket)
            await wait_all_tasks_blocked()
        assert not woken, woken
        await end(io, socket, client)
        # Handlers have `grace` seconds, and who took nothing has FLUSH_TIMEOUT for the rest.
        with trio.move_on_after(3 * GRACE + 30):
            await everybody.wait()
        assert {one.__name__ for one in waiters} == {one.__name__ for one in woken}
        nursery.cancel_scope.cancel()


async def test_a_drain_is_not_held_up_by_an_answer_that_its_client_owed(
    autojump_clock: MockClock,
) -> None:
    io = Server()
    async with io, trio.open_nursery() as nursery:
        async with connect(io):
            await wait_all_tasks_blocked()
            (socket,) = io.sockets.sockets.values()
            await socket.emit("question", ack=print)
            nursery.start_soon(lambda: io.drain(grace=30, spread=0))
            await wait_all_tasks_blocked()
        # The client has gone, and with it what was waited for.
    assert trio.current_time() < 2
