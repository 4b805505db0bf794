"""What an adapter is asked that other servers may have to answer; here, by one server alone."""

import pytest
import trio

from trio_sio import MemoryAdapter, NoAnswer, Packet, PacketType, Server, Socket
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing import connect


async def test_rooms_of_all_servers(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.join("red")

    async with connect(io) as anna, connect(io) as bert:
        await trio.testing.wait_all_tasks_blocked()
        rooms = await io.sockets.adapter.all_rooms()
        assert rooms == {anna.id, bert.id, "red"}
        assert rooms.complete
    assert await io.sockets.adapter.all_rooms() == set()


async def test_remote_join_and_leave(autojump_clock: trio.abc.Clock) -> None:
    io = Server(max_rooms=1)
    adapter = io.sockets.adapter
    async with connect(io) as anna:
        await adapter.remote_join(anna.id, "red")
        assert await adapter.client_rooms(anna.id) == {anna.id, "red"}
        await adapter.remote_leave(anna.id, "red")
        assert await adapter.client_rooms(anna.id) == {anna.id}
    with pytest.raises(NoAnswer, match="no remoteJoin response"):
        await adapter.remote_join(anna.id, "red")
    with pytest.raises(trio.TooSlowError, match="no remoteLeave response"):
        await adapter.remote_leave(anna.id, "red")


@pytest.mark.parametrize("close", [False, True])
async def test_remote_disconnect(autojump_clock: trio.abc.Clock, close: bool) -> None:
    io = Server()
    reasons: list[str] = []

    @io.on("disconnect")
    def disconnect(socket: Socket, reason: str) -> None:
        reasons.append(reason)

    async with io, connect(io) as anna:
        await io.sockets.adapter.remote_disconnect(anna.id, close)
        await trio.testing.wait_all_tasks_blocked()
        assert reasons == ["server namespace disconnect"]
        assert len(io.router.clients) == (0 if close else 1)
        with pytest.raises(NoAnswer, match="no remoteDisconnect response"):
            await io.sockets.adapter.remote_disconnect(anna.id)


async def test_custom_requests(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    adapter = io.sockets.adapter
    assert await adapter.custom_request({"q": 1}) == [None]

    @adapter.on_custom_request
    async def answer(data: JSON) -> JSON:
        await trio.sleep(1)
        return ["asked", data]

    assert await adapter.custom_request({"q": 1}) == [["asked", {"q": 1}]]
    adapter.on_custom_request(lambda data: data)
    assert await adapter.custom_request() == [None]
    with pytest.raises(TypeError, match="must be callable, not 3"):
        adapter.on_custom_request(3)  # type: ignore[type-var]


async def test_a_namespace_that_is_dropped_closes_its_adapter(
    autojump_clock: trio.abc.Clock,
) -> None:
    closed: list[str] = []

    class Watched(MemoryAdapter):
        def close(self) -> None:
            closed.append(self.namespace.name)

    io = Server(adapter=Watched)
    io.of(lambda name, query: True)
    async with connect(io, "/room") as client:
        assert closed == []
        await client.leave()
        await trio.testing.wait_all_tasks_blocked()
        assert closed == ["/room"]


async def test_an_adapter_that_fails_to_close_costs_nobody_anything(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(MemoryAdapter):
        def close(self) -> None:
            raise ValueError("not closed")

    io = Server(adapter=Failing, raise_errors=False)
    parent = io.of(lambda name, query: True)
    async with connect(io, "/room", raise_errors=False) as client:
        await client.send_packet(Packet(PacketType.DISCONNECT, "/room"))
        await trio.testing.wait_all_tasks_blocked()
        assert not parent.children
        assert "closing the adapter failed for '/room'" in caplog.text
        async with connect(io, "/room", raise_errors=False) as other:
            await parent.emit("welcome")
            assert await other.receive() == ["welcome"]
