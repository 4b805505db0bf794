"""What ends a session, and what does not because a client can send it without being wrong."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing.clients.expectation import Ended, expect

area = Area("strictness", protocols=(5,))

BEFORE = ('42["echo",1]', "430[]", "41", '42/chat,["echo",1]')
"""Packets that nobody sends who has joined nothing."""

WRONG = (
    *("44", '44{"message":"no"}', "47", "4abc"),
    *("40[1]", '40"s"', "40null", "40true", '40{"a":', '40{"a":1}x', "40adm"),
    *("42{}", "42[]", "42[null]", "42[true]", '42[["x"]]', '42["x"', '42["x"]z', '42["x",NaN]'),
    *('42-1["x"]', '421e3["x"]', "41{}", "430{}", "450-", '45["x"]', '4511-["x"]'),
    '451-["x",{"_placeholder":true,"num":1}]',
)

ANSWERED = "432[]"

IGNORED = ('43["x"]', '4399["x"]', "42", "425", '42["nobody handles this"]')


@area.check_with(BEFORE, "packet")
async def before_anything_is_joined(target: Target, packet: str) -> None:
    """Packets of a client that has joined nothing end its session, and no other."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False, join=False) as client:
            await client.send(packet)
            await client.receive_end()
        await neighbour.expect_quiet()


@area.check_with(WRONG, "packet")
async def what_only_a_wrong_program_sends(target: Target, packet: str) -> None:
    """A packet that breaks the protocol ends the session, and no other."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False) as client:
            attachment = [target.binary(b"x")] if packet.startswith("451-") else []
            await client.send(packet, *attachment)
            await client.receive_end()
        await neighbour.expect_quiet()


@area.check
async def text_in_place_of_an_attachment(target: Target) -> None:
    """Text where an attachment is due, and an attachment where none is, end the session."""
    for packets in (
        ('451-["echo",{"_placeholder":true,"num":0}]', '42["echo"]'),
        (target.binary(b"x"),),
    ):
        async with open_client(target, heartbeat=False) as client:
            await client.send(*packets)
            await client.receive_end()


@area.check_with(IGNORED, "packet")
async def what_has_no_effect(target: Target, packet: str) -> None:
    """What means nothing is ignored, and the session goes on."""
    async with open_client(target) as client:
        await client.send(packet)
        await client.expect_quiet()


@area.check
async def an_event_behind_leaving(target: Target) -> None:
    """An event for a namespace that the client has left is ignored, and the session goes on."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.send("41/chat,")
        await client.expect_quiet()
        await client.send('42/chat,["echo","gone"]')
        await client.expect_quiet()


@area.check_with(('42/chat,["echo",1]', '43/chat,0["late"]', "41/chat,"), "packet")
async def what_crosses_a_disconnect(target: Target, packet: str) -> None:
    """What was on its way when the server ended the namespace is ignored; the others go on."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.emit("kick", namespace="/chat")
        await client.expect_packet("41/chat")
        await client.send(packet)
        await client.expect_quiet()


@area.check
async def joining_what_is_joined(target: Target) -> None:
    """CONNECT for a namespace that the client is in leaves it where it is."""
    async with open_client(target) as client:
        await client.send("40")
        answer = await client.call("ack", "still here")
        expect(answer, ["still here"], "an acknowledgement")


@area.check
async def an_event_right_behind_connect(target: Target) -> None:
    """An event in the payload of its CONNECT does not end the session."""
    async with open_client(target, "polling") as client:
        await client.send("40/chat,", '42/chat,["nobody handles this"]')
        await client.expect_joined("/chat")
        await client.expect_quiet()


@area.check
async def two_connects_at_a_time(target: Target) -> None:
    """A second CONNECT while the first is under way makes no second socket."""
    async with open_client(target, "polling") as client:
        await client.send("40/chat,", "40/chat,")
        await client.expect_joined("/chat")
        await client.emit("echo", 1, namespace="/chat")
        await client.expect_event("echo", 1, namespace="/chat")
        await client.expect_quiet()


@area.check_with(("connect", "disconnect", "disconnecting"), "event")
async def names_that_belong_to_the_library(target: Target, event: str) -> None:
    """An event with a reserved name reaches no handler: it is ignored, or ends the session."""
    async with open_client(target) as neighbour:
        async with open_client(target, heartbeat=False) as client:
            await client.send_packet(Packet(PacketType.EVENT, "/", [event, "spoofed"], 1))
            await client.send_packet(Packet(PacketType.EVENT, "/", ["ack"], 2))
            try:
                packet = await client.receive()
            except Ended:
                packet = ANSWERED
            expect(packet, ANSWERED, "the answer to the event behind it")
        await neighbour.expect_quiet()
