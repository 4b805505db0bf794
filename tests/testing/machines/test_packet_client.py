"""The client of packets."""

import pytest
import trio

from trio_sio import Packet, PacketType, Server, Socket
from trio_sio.testing import open_wire
from trio_sio.testing.machines.packet_client import PacketClient

EVENT = Packet(PacketType.BINARY_EVENT, "/", ["echo", b"\xff", 1], 7)


@pytest.mark.parametrize("eio", [3, 4])
async def test_packets_go_and_come(autojump_clock: trio.abc.Clock, eio: int) -> None:
    io = Server()
    io.on("echo", lambda socket, *args: args)
    reasons: list[str] = []
    io.on("disconnect", lambda socket, reason: reasons.append(reason))
    async with open_wire(io) as wire, trio.open_nursery() as nursery:
        for end in (PacketClient.close, PacketClient.cut):
            client = PacketClient(await wire.websocket(eio=eio), eio)
            nursery.start_soon(client.run)
            if eio == 4:
                await client.send(Packet(PacketType.CONNECT))
            await client.send(EVENT)
            await client.send_text("2" if eio == 3 else "3")
            await trio.testing.wait_all_tasks_blocked()
            joined, answer = client.take()
            assert joined.type is PacketType.CONNECT
            assert answer == Packet(PacketType.BINARY_ACK, "/", [b"\xff", 1], 7)
            assert client.take() == []
            await end(client)
            await trio.testing.wait_all_tasks_blocked()
            assert client.is_over
            await client.send(EVENT)  # to nobody
            await client.close()
    assert reasons == ["transport close"] * 2


async def test_pings_are_answered(autojump_clock: trio.abc.Clock) -> None:
    async with open_wire(Server(ping_interval=10)) as wire, trio.open_nursery() as nursery:
        client = PacketClient(await wire.websocket(eio=4), 4)
        nursery.start_soon(client.run)
        await trio.sleep(35)
        assert (client.pings, client.is_over, client.take()) == (3, False, [])


async def test_the_server_ends(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.on("connection")
    async def connection(socket: Socket) -> None:
        await socket.disconnect(close=True)

    async with open_wire(io) as wire, trio.open_nursery() as nursery:
        client = PacketClient(await wire.websocket())
        nursery.start_soon(client.run)
        await trio.testing.wait_all_tasks_blocked()
        assert client.is_over
        assert [one.type for one in client.take()] == [PacketType.CONNECT, PacketType.DISCONNECT]
