"""Who hears a broadcast, and in which order."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect
from trio_sio.testing.clients.transports import TRANSPORTS

area = Area("rooms")


@area.check_with(TRANSPORTS)
async def members_hear(target: Target, how: str) -> None:
    """A broadcast to a room reaches its members by each transport, the sender too."""
    async with open_client(target, how) as one, open_client(target) as other:
        room = one.sid
        expect(await one.call("join", f"r{room}"), [], "joining")
        expect(await other.call("join", f"r{room}"), [], "joining")
        await other.emit("tell", f"r{room}", "text", b"bytes")
        await one.expect_event("told", "text", b"bytes")
        await other.expect_event("told", "text", b"bytes")


@area.check
async def others_hear(target: Target) -> None:
    """A broadcast from a socket reaches the others in the room, and not itself."""
    async with open_client(target) as one, open_client(target) as other:
        room = f"r{one.sid}"
        await one.call("join", room)
        await other.call("join", room)
        await one.emit("tell others", room, 1)
        await other.expect_event("told", 1)
        await one.expect_quiet()


@area.check
async def strangers_do_not_hear(target: Target) -> None:
    """Who is not in the room, or has left it, does not hear."""
    async with (
        open_client(target) as teller,
        open_client(target) as stranger,
        open_client(target) as leaver,
    ):
        room = f"r{teller.sid}"
        await leaver.call("join", room)
        await leaver.call("leave", room)
        await teller.call("join", room)
        await teller.emit("tell", room, 1)
        await teller.expect_event("told", 1)
        await stranger.expect_quiet()
        await leaver.expect_quiet()


@area.check
async def each_socket_is_a_room(target: Target) -> None:
    """A socket's id is a room that it alone is in."""
    async with open_client(target) as one, open_client(target) as other:
        await other.emit("tell", one.id, "you")
        await one.expect_event("told", "you")
        await other.expect_quiet()


@area.check
async def joining_twice(target: Target) -> None:
    """Who joins a room twice hears once, and has left it after leaving once."""
    async with open_client(target) as client:
        room = f"r{client.sid}"
        await client.call("join", room)
        await client.call("join", room)
        await client.emit("tell", room, 1)
        await client.expect_event("told", 1)
        await client.call("leave", room)
        await client.emit("tell", room, 2)
        await client.expect_quiet()


@area.check
async def one_order_for_all(target: Target) -> None:
    """Broadcasts of one socket arrive in their order, at everybody."""
    async with open_client(target) as one, open_client(target, "polling") as other:
        room = f"r{one.sid}"
        await one.call("join", room)
        await other.call("join", room)
        for number in range(50):
            await one.emit("tell", room, number)
        for client in (one, other):
            for number in range(50):
                await client.expect_event("told", number)


@area.check
async def the_room_of_one_who_has_gone(target: Target) -> None:
    """A broadcast to a room whose member has gone costs the others nothing."""
    async with open_client(target) as client:
        room = f"r{client.sid}"
        await client.call("join", room)
        async with open_client(target) as gone:
            await gone.call("join", room)
        await client.emit("tell", room, 1)
        await client.expect_event("told", 1)
