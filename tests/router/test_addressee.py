"""A socket as its adapter sees it."""

import trio
import trio.testing

from trio_sio import Server
from trio_sio.abc import AwaitedAnswer
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import connect


class Noted(AwaitedAnswer):
    """Writes down what becomes of an answer."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def fill(self, args: list[JSON]) -> None:
        self.said.append(args)

    def close(self, reason: DisconnectReason | None) -> None:
        self.said.append(reason)


async def test_an_answer_is_expected_of_who_is_there(autojump_clock: trio.abc.Clock) -> None:
    io, first, second, third = Server(), Noted(), Noted(), Noted()
    async with connect(io) as client:
        (socket,) = io.sockets.connected.values()
        assert socket.recovery_session is None
        assert socket.expect_answer(7, first)
        assert socket.expect_answer(8, second)
        await socket.acknowledge(7, ["yes"])
        socket.forget_answer(8)
        await socket.acknowledge(8, ["late"])
        assert (first.said, second.said) == ([["yes"]], [])
        assert socket.expect_answer(9, third)
        await client.leave()
        await trio.testing.wait_all_tasks_blocked()
        assert third.said == [DisconnectReason.CLIENT_NAMESPACE_DISCONNECT]
        assert not socket.expect_answer(10, first)
