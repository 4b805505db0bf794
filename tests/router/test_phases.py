"""A socket stands where it seems to, whoever of the application's functions asks."""

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.router.socket import Phase
from trio_sio.testing import connect


@pytest.mark.parametrize("is_welcome", [True, False])
async def test_a_socket_goes_through_its_phases_in_order(
    is_welcome: bool, autojump_clock: MockClock
) -> None:
    io = trio_sio.Server()
    seen: list[tuple[str, Phase, bool]] = []
    sockets: list[trio_sio.Socket] = []

    def note(name: str, socket: trio_sio.Socket) -> None:
        seen.append((name, socket.phase, socket.connected))

    @io.of("/chat").use
    def check(socket: trio_sio.Socket) -> None:
        sockets.append(socket)
        note("middleware", socket)
        if not is_welcome:
            raise trio_sio.ConnectionRefused("no")

    chat = io.of("/chat")
    chat.on("connection", lambda socket: note("connection", socket))
    chat.on("disconnecting", lambda socket, reason: note("disconnecting", socket))
    chat.on("disconnect", lambda socket, reason: note("disconnect", socket))
    if is_welcome:
        async with connect(io, "/chat"):
            pass
    else:
        with pytest.raises(trio_sio.ConnectionRefused):
            async with connect(io, "/chat"):
                pass
    await trio.testing.wait_all_tasks_blocked()
    (socket,) = sockets
    assert socket.phase is Phase.ENDED
    welcome = [
        ("connection", Phase.CONNECTED, True),
        ("disconnecting", Phase.CONNECTED, True),
        ("disconnect", Phase.ENDED, False),
    ]
    assert seen == [("middleware", Phase.JOINING, False), *(welcome if is_welcome else [])]
