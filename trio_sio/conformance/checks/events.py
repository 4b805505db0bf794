"""Events and acknowledgements."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.clients.expectation import expect, require
from trio_sio.testing.clients.transports import TRANSPORTS

area = Area("events")

_NO_LISTS: list[JSON] = [[], [[]]]
_NESTED: dict[str, JSON] = {"": None, "a": {"b": [1]}}

VALUES: tuple[JSON, ...] = (
    *(None, True, False, 0, -1, 2**53 - 1, 1.5, -2.5e-7, "", "text", 'quoted " and \\'),
    *("é\u2028\U0001f600", [], {}, _NO_LISTS, _NESTED, "/chat,1[]", "0"),
)


@area.check_with(TRANSPORTS)
async def values_come_back(target: Target, how: str) -> None:
    """Each value that JSON has comes back as it went."""
    async with open_client(target, how) as client:
        await client.emit("echo", *VALUES)
        await client.expect_event("echo", *VALUES)


@area.check
async def an_event_without_arguments(target: Target) -> None:
    """An event may have no arguments."""
    async with open_client(target) as client:
        await client.emit("echo")
        await client.expect_event("echo")


@area.check
async def an_event_that_nobody_handles(target: Target) -> None:
    """An event without a handler is ignored."""
    async with open_client(target) as client:
        await client.emit("nobody handles this", 1)
        await client.expect_quiet()


@area.check_with(("42", "425"), "packet")
async def an_event_without_a_name(target: Target, packet: str) -> None:
    """An event without a payload has no effect, and no acknowledgement."""
    async with open_client(target) as client:
        await client.send(packet)
        await client.expect_quiet()


@area.check_with(TRANSPORTS)
async def acknowledgements(target: Target, how: str) -> None:
    """An event with an id is answered with an ACK of that id."""
    async with open_client(target, how) as client:
        expect(await client.call("ack"), [], "an empty acknowledgement")
        expect(await client.call("ack", "one", 2), ["one", 2], "one with two arguments")


@area.check_with((0, 1, 10, 4711, 2**31, 2**53 - 1), "number")
async def any_id(target: Target, number: int) -> None:
    """The id may be any number that JavaScript counts to."""
    async with open_client(target) as client:
        await client.send(f'42{number}["ack","x"]')
        packet = await client.receive_packet()
        expect(packet, Packet(PacketType.ACK, "/", ["x"], number), "the acknowledgement")


@area.check_with(TRANSPORTS)
async def the_server_asks(target: Target, how: str) -> None:
    """The server's event with an id is answered by the client's ACK."""
    async with open_client(target, how) as client:
        await client.emit("ask", "why")
        question = await client.receive_packet()
        wanted = Packet(PacketType.EVENT, "/", ["question", "why"], question.id)
        expect(question, wanted, "the server's event")
        require(question.id is not None, "it asks for no acknowledgement: it has no id")
        await client.send_packet(Packet(PacketType.ACK, "/", ["because", 1], question.id))
        await client.expect_event("answered", "because", 1)


@area.check
async def an_answer_that_comes_twice(target: Target) -> None:
    """The second ACK with an id is ignored, and so is one that nobody waits for."""
    async with open_client(target) as client:
        await client.emit("ask")
        question = await client.receive_packet()
        answer = Packet(PacketType.ACK, "/", ["once"], question.id)
        await client.send_packet(answer)
        await client.send_packet(answer)
        await client.send_packet(Packet(PacketType.ACK, "/", [], 123456))
        await client.expect_event("answered", "once")
        await client.expect_quiet()


@area.check
async def large_events(target: Target) -> None:
    """An event of half the limit comes back, by WebSocket."""
    async with open_client(target) as client:
        await client.emit("echo", "x" * 50_000)
        await client.expect_event("echo", "x" * 50_000)
