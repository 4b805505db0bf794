"""Rooms of clients of Socket.IO 2 beside those of 3 and 4, by bytes."""

import pytest
from trio.testing import MockClock

from tests.support.modern import join, server
from trio_sio import Socket
from trio_sio.protocol.socketio.notepack import pack, unpack
from trio_sio.testing import open_wire


async def test_a_room_has_clients_of_both_kinds(autojump_clock: MockClock) -> None:
    io = server()

    @io.on("join")
    async def enter(socket: Socket) -> None:
        await socket.join("room")

    async with open_wire(io) as wire:
        new = await wire.websocket(eio=4)
        old = await wire.websocket()
        await new.receive()
        await join(new)
        await old.receive()
        assert await old.receive() == "40"
        for one in (new, old):
            await one.send('420["join"]')
            assert await one.receive() == "430[]"
        await io.to("room").emit("both", 1, b"\x01")
        header = '451-["both",1,{"_placeholder":true,"num":0}]'
        assert await new.receive() == await old.receive() == header
        assert (await new.receive(), await old.receive()) == (b"\x01", b"\x04\x01")


@pytest.mark.parametrize("size", [2, 10_000])
async def test_a_room_of_messagepack_has_clients_of_both_kinds(
    size: int, autojump_clock: MockClock
) -> None:
    """A binary event has a type of its own for clients of 2.x, and none for the others."""
    io = server(parser="msgpack")
    async with open_wire(io) as wire:
        new = await wire.websocket(eio=4)
        old = await wire.websocket()
        await new.receive()
        await old.receive()
        assert await old.receive() == '4{"type":0,"nsp":"/"}'
        await new.send(pack({"type": 0, "data": {"token": "1"}, "nsp": "/private"}))
        answer = unpack(_bytes(await new.receive()))
        assert answer == {"type": 0, "data": {"sid": answer["data"]["sid"]}, "nsp": "/private"}  # type: ignore[call-overload,index]  # a map
        await new.send(pack({"type": 0, "nsp": "/private"}))  # it is in
        await new.send(pack({"type": 0, "nsp": "/nope"}))
        refused = {"type": 4, "data": {"message": "Invalid namespace"}, "nsp": "/nope"}
        assert unpack(_bytes(await new.receive())) == refused
        await new.send(pack({"type": 0, "nsp": "/"}))
        await new.receive()
        value = bytes(size)
        args: list[object] = ["both", value]
        await io.emit("both", value)
        await io.emit("both", "text")
        assert unpack(_bytes(await new.receive())) == {"type": 2, "data": args, "nsp": "/"}
        of_old = _bytes(await old.receive())
        assert of_old[:1] == b"\x04"
        assert unpack(of_old[1:]) == {"type": 5, "data": args, "nsp": "/"}
        assert await old.receive() == b"\x04" + _bytes(await new.receive())
        await new.send(pack({"type": 2, "data": ["echo", value], "id": 7, "nsp": "/"}))
        acknowledged = {"id": 7, "type": 3, "data": [[value]], "nsp": "/"}
        assert unpack(_bytes(await new.receive())) == acknowledged


def _bytes(packet: str | bytes) -> bytes:
    assert isinstance(packet, bytes)
    return packet
