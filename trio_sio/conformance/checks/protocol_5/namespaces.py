"""What clients say when they join, the ids that they get, and refusals."""

from trio_sio.conformance.area import Area
from trio_sio.conformance.client import open_client
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import expect, require

area = Area("namespaces", protocols=(5,))

BOTH = ("polling", "websocket")


@area.check_with(BOTH)
async def ids_are_of_one_socket_each(target: Target, how: str) -> None:
    """Each socket has an id of its own, which does not tell the session's."""
    async with open_client(target, how) as client:
        await client.join_namespace("/chat")
        one, other = client.ids["/"], client.ids["/chat"]
        require(one != other, f"both sockets have the id {one}")
        for sid in (one, other):
            require(client.sid not in sid, f"{sid} tells the session's id")


@area.check
async def another_id_when_joining_again(target: Target) -> None:
    """Who joins again gets another id."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        before = client.ids["/chat"]
        await client.send("41/chat,")
        await client.expect_quiet()
        await client.join_namespace("/chat")
        require(client.ids["/chat"] != before, f"it got the id {before} again")


@area.check_with(BOTH)
async def what_a_client_says(target: Target, how: str) -> None:
    """What CONNECT carries reaches the application, which lets the client in."""
    async with open_client(target, how, join=False) as client:
        await client.join_namespace("/private", {"token": "secret"})
        answer = await client.call("token", namespace="/private")
        expect(answer, ["secret"], "the token")


@area.check
async def the_query_is_not_of_a_namespace(target: Target) -> None:
    """A query behind a namespace's name is a part of the name, and there is no such namespace."""
    async with open_client(target) as client:
        await client.send("40/chat?token=secret,")
        await client.expect_packet('44/chat?token=secret,{"message":"Invalid namespace"}')
        await client.expect_quiet()


@area.check_with(("/nobody", "/CHAT", "/c%68at"), "name")
async def there_is_no_such_namespace(target: Target, name: str) -> None:
    """CONNECT for a namespace that does not exist is refused by an object with the message."""
    async with open_client(target) as client:
        await client.send(f"40{name},")
        await client.expect_packet(f'44{name},{{"message":"Invalid namespace"}}')
        await client.expect_quiet()


@area.check
async def the_application_says_no(target: Target) -> None:
    """A refusal is an object with the application's message, and the session goes on."""
    async with open_client(target) as client:
        for packet in ("40/private,", '40/private,{"token":"wrong"}'):
            await client.send(packet)
            await client.expect_packet('44/private,{"message":"not authorized"}')
        await client.join_namespace("/private", {"token": "secret"})
        await client.expect_quiet()


@area.check_with(("40", "401", "40/", "40/,", "40{}"), "packet")
async def spellings_of_the_root(target: Target, packet: str) -> None:
    """CONNECT for "/" may be written in several ways."""
    async with open_client(target, join=False) as client:
        await client.send(packet)
        await client.expect_joined("/")


@area.check
async def without_a_comma(target: Target) -> None:
    """The comma behind a namespace's name may be missing where nothing follows."""
    async with open_client(target) as client:
        await client.send("40/chat")
        await client.expect_joined("/chat")


@area.check
async def leaving_the_root(target: Target) -> None:
    """Who leaves "/" is in the other namespaces still."""
    async with open_client(target) as client:
        await client.join_namespace("/chat")
        await client.send("41")
        answer = await client.call("ack", namespace="/chat")
        expect(answer, [], "an acknowledgement in /chat, with nothing before it")
        await client.join_namespace("/")  # behind an answer: it has been left by now
        await client.expect_quiet()
