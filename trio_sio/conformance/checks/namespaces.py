"""Namespaces: joining, leaving, refusals."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing.clients.expectation import expect, require

area = Area("namespaces")
BOTH = ("polling", "websocket")


@area.check_with(BOTH)
async def joining(target: Target, how: str) -> None:
    """CONNECT for a namespace is answered with CONNECT, and events go both ways."""
    async with open_client(target, how) as client:
        await client.join_namespace("/chat")
        await client.emit("echo", 1, namespace="/chat")
        await client.expect_event("echo", 1, namespace="/chat")


@area.only(4).check
async def an_unknown_namespace(target: Target) -> None:
    """CONNECT for a namespace that does not exist is answered with ERROR "Invalid namespace"."""
    async with open_client(target) as client:
        await client.send("40/nobody")
        await client.expect_packet('44/nobody,"Invalid namespace"')
        await client.expect_quiet()


@area.only(4).check
async def a_refusal_of_the_application(target: Target) -> None:
    """A refusal is an ERROR with the application's message, and the session goes on."""
    async with open_client(target) as client:
        await client.send("40/private?token=wrong")
        await client.expect_packet('44/private,"not authorized"')
        await client.expect_quiet()


@area.only(4).check
async def the_query_of_a_namespace(target: Target) -> None:
    """The query behind a namespace's name reaches the application."""
    async with open_client(target) as client:
        await client.send("40/private?token=secret")
        packet = await client.receive_packet()
        named = packet.namespace.partition("?")[0]  # socket.io repeats the query
        expect((packet.type.name, named), ("CONNECT", "/private"), "type and namespace")
        answer = await client.call("token", namespace="/private")
        expect(answer, ["secret"], "the token")


@area.only(4).check
async def an_event_before_joining(target: Target) -> None:
    """An event for a namespace that was not joined is ignored, and the session goes on."""
    async with open_client(target) as client:
        await client.send('42/chat,["echo",1]')
        await client.expect_quiet()


@area.only(4).check
async def leaving_one_of_two(target: Target) -> None:
    """A client that leaves a namespace is in the others still."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.send("41/chat")
        await client.send('42/chat,["echo","gone"]')
        await client.expect_quiet()


@area.check
async def joining_again(target: Target) -> None:
    """A namespace that was left can be joined again."""
    async with open_client(target) as client:
        for _ in range(3):
            await client.join_namespace("/chat")
            await client.send("41/chat")
            await client.expect_quiet()
        await client.join_namespace("/chat")
        await client.emit("echo", "again", namespace="/chat")
        await client.expect_event("echo", "again", namespace="/chat")


@area.check
async def the_server_ends_a_namespace(target: Target) -> None:
    """The server's `disconnect` is a DISCONNECT for that namespace, and the session goes on."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.emit("kick", namespace="/chat")
        await client.expect_packet("41/chat")
        await client.expect_quiet()


@area.check
async def rooms_of_two_namespaces(target: Target) -> None:
    """A room of one namespace is none of another, although they have the same name."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        expect(await client.call("join", "room"), [], "joining in /")
        await client.emit("tell", "room", 1, namespace="/chat")
        answer = await client.call("ack", namespace="/chat")
        expect(answer, [], "the acknowledgement, with nothing before it")


@area.check
async def acknowledgements_of_two_namespaces(target: Target) -> None:
    """The same id in two namespaces belongs to two acknowledgements."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.send('42/chat,7["ack","chat"]', '427["ack","root"]')
        packets = [await client.receive_packet() for _ in range(2)]
        wanted = [
            Packet(PacketType.ACK, "/chat", ["chat"], 7),
            Packet(PacketType.ACK, "/", ["root"], 7),
        ]
        for packet in wanted:
            require(packet in packets, f"{packet} is not among {packets}")


@area.check
async def leaving_and_joining_in_one_post(target: Target) -> None:
    """CONNECT right behind DISCONNECT, in the same POST, joins the namespace again."""
    async with open_client(target, "polling") as client:
        await client.join_namespace("/chat")
        await client.send("41/chat", "40/chat")
        await client.expect_joined("/chat")
        await client.emit("echo", "again", namespace="/chat")
        await client.expect_event("echo", "again", namespace="/chat")
