"""Namespaces on demand: who decides, what children inherit, whom their parent reaches."""

import re
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.peers import MODERN, PACKAGE, WEBSOCKET, peer, served
from tests.support.raw import Raw, raw
from tests.support.raw_websocket import RawWebSocket
from tests.support.servers import MakeServer

node = pytest.mark.node
TEAMS = re.compile(r"/team-\d+")
Query = dict[str, str | list[str]]


async def hears(websocket: RawWebSocket, *messages: str | bytes) -> None:
    """Assert that those come next."""
    for message in messages:
        assert await websocket.receive() == message


# -- who decides ---------------------------------------------------------------------------------


async def test_a_pattern_has_to_match_the_whole_name_without_its_query(
    make_server: MakeServer,
) -> None:
    io = make_server()
    teams = io.of(TEAMS)
    teams.on("where", lambda socket: [socket.nsp.name, socket.namespace.name, socket.id])
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        (sid,) = io.sockets.connected
        for name in ("/x/team-1", "/team-", "/team-1/x", "/Team-1", teams.name):
            await websocket.send(f"40{name}?q=/team-1,")
            await hears(websocket, f'44{name},"Invalid namespace"')
        await websocket.send("40/team-1?q=x,")
        await hears(websocket, "40/team-1,")
        await websocket.send('42/team-1,5["where"]')
        await hears(websocket, f'43/team-1,5[["/team-1","/team-1","/team-1#{sid}"]]')
        assert list(teams.children) == ["/team-1"]
        assert teams.children["/team-1"].parent is teams


@node
@pytest.mark.parametrize("is_async", [True, False], ids=["async", "sync"])
async def test_a_function_sees_the_query_of_the_javascript_client(
    is_async: bool, make_server: MakeServer
) -> None:
    io = make_server()
    asked: list[tuple[str, Query]] = []

    def now(name: str, query: Query) -> bool:
        asked.append((name, query))
        return query.get("token") == "a b&c"

    async def later(name: str, query: Query) -> bool:
        await trio.lowlevel.checkpoint()
        return now(name, query)

    io.of(later if is_async else now)
    async with served(io) as url, peer() as process:
        await process.connect(f"{url}?mine=1", forceNew=False, **WEBSOCKET.options)
        for query, event in (("", "error"), ("?token=x", "error"), ("?token=a%20b%26c", "connect")):
            client = await process.open(f"{url}/tenant{query}", forceNew=False)
            assert len(await client.hear(event)) == 1
    # The query of the CONNECT packet alone, without that of the connection.
    assert asked == [("/tenant", {}), ("/tenant", {"token": "x"}), ("/tenant", {"token": "a b&c"})]


async def test_functions_are_asked_in_order_until_one_agrees_and_never_for_what_exists(
    make_server: MakeServer,
) -> None:
    io = make_server()
    asked: list[tuple[str, str, Query]] = []
    io.of("/static").on("who", lambda socket: "static")
    for own in ("first", "second", "third"):

        def accepts(name: str, query: Query, own: str = own) -> bool:
            asked.append((own, name, query))
            return own in name

        io.of(accepts).on("who", lambda socket, own=own: own)
    async with served(io) as url, raw(url) as wire:
        websocket, other = await wire.joined(), await wire.joined()
        await websocket.send("40/second+third?a=1&a=2&b,")
        await hears(websocket, "40/second+third,")
        await websocket.send('42/second+third,1["who"]')
        await hears(websocket, '43/second+third,1["second"]')
        query = {"a": ["1", "2"], "b": ""}
        assert asked == [(own, "/second+third", query) for own in ("first", "second")]
        asked.clear()
        for name in ("/second+third", "/static"):
            io.of(name).use(lambda socket: None)  # nor if it has middleware to ask
            await other.send(f"40{name},")
            await hears(other, f"40{name},")
        assert asked == []
        await other.send("40/nope,")
        await hears(other, '44/nope,"Invalid namespace"')
        assert asked == [(own, "/nope", {}) for own in ("first", "second", "third")]


async def test_a_function_that_fails_refuses(
    make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server(raise_errors=False)

    @io.of
    async def fails(name: str, query: Query) -> bool:
        return query["token"] == "s3cret"

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        await websocket.send("40/tenant,")
        await hears(websocket, '44/tenant,"Invalid namespace"')
        await websocket.send("40/tenant?token=s3cret,")
        await hears(websocket, "40/tenant,")
    assert "KeyError: 'token'" in caplog.text


async def test_two_who_ask_at_once_meet_in_one_namespace(make_server: MakeServer) -> None:
    io = make_server()
    both, asked = trio.Event(), []

    async def accepts(name: str, query: Query) -> bool:
        asked.append(name)
        if len(asked) == 2:
            both.set()
        await both.wait()
        return True

    parent = io.of(accepts)
    async with served(io) as url, raw(url) as wire:
        people = [await wire.joined(), await wire.joined()]
        for websocket in people:
            await websocket.send("40/room,")
        for websocket in people:
            await hears(websocket, "40/room,")
        assert asked == ["/room", "/room"]
        assert len(parent.children["/room"].connected) == 2
        await io.of("/room").emit("a")
        for websocket in people:
            await hears(websocket, '42/room,["a"]')


# -- what children inherit -----------------------------------------------------------------------


async def test_children_have_their_parents_handlers_and_then_their_own(
    make_server: MakeServer,
) -> None:
    """Those, too, that the parent got after the child; in the reference only later children do."""
    io = make_server()
    teams = io.of(TEAMS)
    story: list[str] = []
    teams.on("connect", lambda socket: story.append(f"connect {socket.nsp.name}"))
    async with served(io) as url, raw(url) as wire:
        first = await wire.joined("/team-1")
        child = teams.children["/team-1"]
        child.on("a", lambda socket: story.append(f"own {socket.nsp.name}"))
        teams.on("a", lambda socket: story.append(f"late {socket.nsp.name}"))
        teams.on("end", lambda socket: "end")
        second = await wire.joined("/team-2")
        for websocket, name in ((first, "/team-1"), (second, "/team-2")):
            await websocket.send(f'42{name},["a"]')
            await websocket.send(f'42{name},1["end"]')
            await hears(websocket, f'43{name},1["end"]')
    assert story == [
        *("connect /team-1", "connect /team-2"),
        *("late /team-1", "own /team-1", "late /team-2"),
    ]


async def test_children_have_their_parents_middleware_and_then_their_own(
    make_server: MakeServer,
) -> None:
    io = make_server()
    teams = io.of(TEAMS)
    story: list[str] = []
    teams.use(lambda socket: story.append("before"))
    async with served(io) as url, raw(url) as wire:
        await wire.joined("/team-1")
        assert story == ["before"]
        story.clear()
        teams.children["/team-1"].use(lambda socket: story.append("own"))

        @teams.use
        async def late(socket: trio_sio.Socket) -> None:
            story.append("late")
            if "no" in socket.handshake.query:
                raise trio_sio.ConnectionRefused("not you")

        websocket = await wire.joined("/team-1", "/team-2")
        assert story == ["before", "late", "own", "before", "late"]
        await websocket.send("40/team-3?no,")
        await hears(websocket, '44/team-3,"not you"')


# -- whom their parent reaches -------------------------------------------------------------------


async def three_children(io: trio_sio.Server, wire: Raw) -> list[RawWebSocket]:
    """One client in each; the first two are in the room "red"."""
    websockets = []
    for number in range(3):
        websockets.append(await wire.joined(f"/team-{number}"))
        (socket,) = io.of(f"/team-{number}").connected.values()
        if number < 2:
            await socket.join("red")
    return websockets


async def test_the_parent_reaches_rooms_of_all_children(make_server: MakeServer) -> None:
    io = make_server()
    teams = io.of(TEAMS)
    async with served(io) as url, raw(url) as wire:
        websockets = await three_children(io, wire)
        everyone = {sid for child in teams.children.values() for sid in child.connected}
        assert len(everyone) == 3
        assert await teams.clients() == everyone
        red = await teams.in_("red").clients()
        assert {sid.partition("#")[0] for sid in red} == {"/team-0", "/team-1"}
        await teams.emit("a", 1)
        await teams.to("red").emit("a", 2)
        await teams.except_("red").emit("a", 3)
        await teams.to("red").in_("nobody").except_(*red).emit("a", 4)
        await teams.send(5)
        await io.emit("end")
        for number, websocket in enumerate(websockets):
            name = f"/team-{number}"
            await hears(websocket, f'42{name},["a",1]', f'42{name},["a",{2 if number < 2 else 3}]')
            await hears(websocket, f'42{name},["message",5]', '42["end"]')


async def test_flags_of_the_parent_are_those_of_each_child(make_server: MakeServer) -> None:
    io = make_server()
    teams: Any = io.of(TEAMS)
    async with served(io) as url, raw(url) as wire:
        websockets = await three_children(io, wire)
        with pytest.raises(TypeError, match="acknowledgements are not supported"):
            await teams.emit("a", ack=print)
        with pytest.raises(ValueError, match="reserved"):
            await teams.to("red").emit("connect")
        await teams.volatile.emit("a", 1)
        for number, websocket in enumerate(websockets):
            await hears(websocket, f'42/team-{number},["a",1]')
        await teams.binary(False).emit("a", b"\x02")
        await teams.binary(True).local.compress(False).emit("a", b"\x03")
        for number, websocket in enumerate(websockets):
            await hears(
                websocket,
                f'42/team-{number},["a",{{"type":"Buffer","data":[2]}}]',
                f'451-/team-{number},["a",{{"_placeholder":true,"num":0}}]',
                b"\x04\x03",
            )


# -- how long they stay --------------------------------------------------------------------------


async def leave(io: trio_sio.Server, websocket: RawWebSocket, name: str) -> None:
    """Leave a namespace; returns when the server has done with the socket."""
    namespace = io.router.namespaces[name]
    await websocket.send(f"41{name},")
    while namespace.users:  # noqa: ASYNC110 - nobody tells
        await trio.sleep(0.005)


async def test_an_empty_one_goes(make_server: MakeServer) -> None:
    """Clients choose the names: as many as they like would stay otherwise."""
    io = make_server()
    teams = io.of(TEAMS)
    left: list[str] = []
    teams.on("disconnect", lambda socket, _: left.append(socket.nsp.name))
    async with served(io) as url, raw(url) as wire:
        first, second = await wire.joined("/team-1"), await wire.joined("/team-1", "/team-2")
        await leave(io, second, "/team-2")
        assert list(teams.children) == ["/team-1"]
        await first.send("41/team-1,")
        while "/team-1" not in left:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.005)
        assert list(teams.children) == ["/team-1"]  # somebody is still there
        await teams.emit("hello")
        await hears(second, '42/team-1,["hello"]')
        await leave(io, second, "/team-1")
        assert not teams.children
        assert set(io.router.namespaces) == {"/"}
        await first.send("40/team-1,")
        await hears(first, "40/team-1,")
        await teams.emit("again")
        await hears(first, '42/team-1,["again"]')


async def test_who_is_refused_leaves_nothing_behind(make_server: MakeServer) -> None:
    io = make_server()

    @io.of(TEAMS).use
    async def refuse(_: trio_sio.Socket) -> None:
        await trio.lowlevel.checkpoint()
        raise trio_sio.ConnectionRefused("no")

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined()
        for number in range(20):
            await websocket.send(f"40/team-{number},")
            await hears(websocket, f'44/team-{number},"no"')
        while len(io.router.namespaces) > 1:  # noqa: ASYNC110 - nobody tells
            await trio.sleep(0.005)


async def test_what_the_application_has_asked_for_stays(make_server: MakeServer) -> None:
    io = make_server()
    teams = io.of(TEAMS)

    @teams.on("connection")
    def connection(socket: trio_sio.Socket) -> None:
        if socket.nsp.name == "/team-1":
            socket.nsp.on("hello", lambda socket: "own")
        elif socket.nsp.name == "/team-2":
            io.of("/team-2")

    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/team-1", "/team-2", "/team-3")
        for number in (1, 2, 3):
            await leave(io, websocket, f"/team-{number}")
        assert set(teams.children) == {"/team-1", "/team-2"}
        await websocket.send("40/team-1,")
        await hears(websocket, "40/team-1,")
        await websocket.send('42/team-1,1["hello"]')
        await hears(websocket, '43/team-1,1["own"]')


async def test_empty_ones_may_stay(make_server: MakeServer) -> None:
    io = make_server(cleanup_empty_child_namespaces=False)
    teams = io.of(TEAMS)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.joined("/team-1")
        await leave(io, websocket, "/team-1")
        assert list(teams.children) == ["/team-1"]


# -- new_namespace ---------------------------------------------------------------------------------


@node
@pytest.mark.parametrize("release", ["2.5", "4.8"])
async def test_new_namespaces_are_told(release: str, make_server: MakeServer) -> None:
    io = make_server()
    io.of("/before")
    told: list[trio_sio.Namespace] = []

    @io.on("new_namespace")
    def greet(namespace: trio_sio.Namespace) -> None:
        told.append(namespace)
        namespace.on("connection", lambda socket: socket.emit("welcome", namespace.name))

    parent = io.of(re.compile(r"/room-\d+"))
    assert [one.name for one in told] == []  # a dynamic one is none itself
    chat = io.of("/chat")
    assert told == [chat]
    assert io.of("chat") is chat
    assert io.of("/before") not in told
    async with served(io) as url, peer({"2.5": PACKAGE, **MODERN}[release]) as process:
        client = await process.connect(f"{url}/room-1", hear=["welcome"])
        assert await client.hear("welcome") == ["/room-1"]
        another = await process.connect(f"{url}/room-1", hear=["welcome"])
        assert await another.hear("welcome") == ["/room-1"]
        assert told[1:] == [parent.children["/room-1"]]
        nobody = await process.open(f"{url}/nowhere", reconnection=False)
        await nobody.hear("connect_error" if release == "4.8" else "error")
        assert len(told) == 2
