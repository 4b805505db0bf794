"""The order of packets."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.clients.transports import TRANSPORTS

area = Area("order")


@area.check_with(TRANSPORTS)
async def events_keep_their_order(target: Target, how: str) -> None:
    """Events of a client come back in the order in which they went."""
    async with open_client(target, how) as client:
        for number in range(50):
            await client.emit("echo", number)
        for number in range(50):
            await client.expect_event("echo", number)


@area.check_with(TRANSPORTS)
async def events_of_one_handler_keep_their_order(target: Target, how: str) -> None:
    """Many events that one handler sends arrive in their order, none lost."""
    async with open_client(target, how) as client:
        await client.emit("burst", 500)
        for number in range(500):
            await client.expect_event("number", number)


@area.check
async def text_and_binary_keep_their_order(target: Target) -> None:
    """Events with and without binary values keep their order."""
    async with open_client(target) as client:
        sent: list[object] = [b"%d" % n if n % 2 else n for n in range(30)]
        for value in sent:
            await client.emit("echo", value)
        for value in sent:
            await client.expect_event("echo", value)


@area.check
async def acknowledgements_follow_their_events(target: Target) -> None:
    """What a handler sends before its acknowledgement comes before it."""
    async with open_client(target) as client:
        await client.send('42["burst",3]', '421["ack","last"]')
        for number in range(3):
            await client.expect_event("number", number)
        packet = await client.receive_packet()
        expect((packet.id, packet.data), (1, ["last"]), "the acknowledgement")
