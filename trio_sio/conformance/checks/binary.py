"""Binary values among the arguments."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.clients.transports import TRANSPORTS

area = Area("binary")


@area.check_with(TRANSPORTS)
async def one_value(target: Target, how: str) -> None:
    """One binary value comes back."""
    async with open_client(target, how) as client:
        await client.emit("echo", b"\x00\x01\xff")
        await client.expect_event("echo", b"\x00\x01\xff")


@area.check_with(TRANSPORTS)
async def values_anywhere(target: Target, how: str) -> None:
    """Binary values may be anywhere in lists and objects, and may be empty."""
    args = ({"a": [b"one", {"b": b""}], "text": "x"}, b"two", None)
    async with open_client(target, how) as client:
        await client.emit("echo", *args)
        await client.expect_event("echo", *args)


@area.check_with(TRANSPORTS)
async def in_acknowledgements(target: Target, how: str) -> None:
    """An acknowledgement may have binary values."""
    async with open_client(target, how) as client:
        expect(await client.call("ack", b"\x80", 1), [b"\x80", 1], "the acknowledgement")


@area.check
async def in_answers_of_the_client(target: Target) -> None:
    """The client's answer may have binary values."""
    async with open_client(target) as client:
        await client.emit("ask")
        question = await client.receive_packet()
        await client.send_packet(Packet(PacketType.ACK, "/", [b"\x01", "x"], question.id))
        await client.expect_event("answered", b"\x01", "x")


@area.check
async def in_a_namespace(target: Target) -> None:
    """Events of a namespace may have binary values."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.emit("echo", b"x", namespace="/chat")
        await client.expect_event("echo", b"x", namespace="/chat")


@area.check
async def a_ping_between_a_packet_and_its_attachment(target: Target) -> None:
    """Packets of Engine.IO may come between an event and its attachments."""
    async with open_client(target, heartbeat=False) as client:
        beat = "2" if target.protocol == 4 else "3"  # the client's part of the heartbeat
        header = '451-["echo",{"_placeholder":true,"num":0}]'
        await client.send(header, beat, target.binary(b"bytes"))
        await client.expect_event("echo", b"bytes")


@area.check
async def as_many_as_may_be(target: Target) -> None:
    """Ten binary values in one event come back in their order."""
    values = [bytes((number,)) for number in range(10)]
    async with open_client(target) as client:
        await client.emit("echo", *values)
        await client.expect_event("echo", *values)


@area.check
async def a_value_named_twice(target: Target) -> None:
    """One attachment may be named by two placeholders."""
    placeholder = '{"_placeholder":true,"num":0}'
    async with open_client(target) as client:
        await client.send(f'451-["echo",{placeholder},{placeholder}]', target.binary(b"x"))
        await client.expect_event("echo", b"x", b"x")


@area.check
async def base64_by_websocket(target: Target) -> None:
    """With `b64=1` in its query a WebSocket gets binary packets as text, in base64."""
    async with open_client(target, "websocket-base64", heartbeat=False) as client:
        await client.emit("echo", b"\x00\x01")
        event = await client.transport.receive()
        expect(event, '451-["echo",{"_placeholder":true,"num":0}]', "the event")
        attachment = "b4AAE=" if target.protocol == 4 else "bAAE="
        expect(await client.transport.receive(), attachment, "its attachment")
