"""Handlers of one socket take the arguments of its events, without the socket."""

from trio_sio import DisconnectReason, Server, Socket
from trio_sio.testing import connect


async def test_handlers_of_one_socket() -> None:
    io = Server()
    reasons: list[DisconnectReason] = []

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("add", lambda a, b: a + b)
        socket.once("first", lambda: "once")
        socket.on("disconnect", reasons.append)

    async with connect(io) as client:
        assert await client.call("add", 1, 2) == [3]
        assert await client.call("first") == ["once"]
        await client.leave()
    assert reasons == [DisconnectReason.CLIENT_NAMESPACE_DISCONNECT]
