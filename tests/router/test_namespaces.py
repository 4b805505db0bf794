"""Dynamic namespaces: one for each name that a pattern or a function accepts."""

import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.modern import (
    client as open_client,
    expect_quiet,
    join,
    server,
)
from trio_sio import ConnectionRefused, Namespace, Packet, PacketType, Server, Socket
from trio_sio.testing import MemoryClient, connect


async def try_to_join(io: Server, client: MemoryClient, *names: str) -> list[str]:
    """Ask to join namespaces; return those that let the client in."""
    for name in names:
        await client.send_packet(Packet(PacketType.CONNECT, name))
    await wait_all_tasks_blocked()
    (seen,) = [one for one in io.router.clients if one.session is client.session]
    return [name for name in seen.sockets if name != "/"]


async def test_pattern_has_to_match_all_of_the_name(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    parent = io.of(re.compile(r"/room-\d+"))
    async with connect(io) as client:
        names = ("/room-1", "/room-", "/room-12x", "/a/room-1", "/room-22", "/room-3\n")
        assert await try_to_join(io, client, *names) == ["/room-1", "/room-22"]
        assert list(parent.children) == ["/room-1", "/room-22"]
        assert set(io.router.namespaces) == {"/", "/room-1", "/room-22"}


async def test_function_gets_name_and_query(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    asked = []

    async def accepts(name: str, query: Mapping[str, object]) -> bool:
        await trio.sleep(1)
        asked.append((name, query))
        return query.get("token") == "swordfish"

    io.of(accepts)
    async with connect(io, "/private", query={"token": "swordfish"}) as client:
        assert client.id.startswith("/private#")
    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/other?token=guess"))
        await trio.sleep(2)
    assert asked == [
        ("/private", {"token": "swordfish"}),
        ("/other", {"token": "guess"}),
    ]
    assert "/other" not in io.router.namespaces


async def test_parents_are_asked_in_order_and_namespaces_come_first(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    first = io.of(re.compile("/a+"))
    second = io.of(lambda name, query: name.startswith("/a"))
    third = io.of(re.compile(".*"))
    io.of("/aaa")
    async with connect(io) as client:
        await try_to_join(io, client, "/aaa", "/aa", "/ab", "/b")
        assert list(first.children) == ["/aa"]
        assert list(second.children) == ["/ab"]
        assert list(third.children) == ["/b"]
        assert io.of("/aaa").parent is None
        assert io.of("/aa").parent is first


async def test_two_clients_at_once_make_one_namespace(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    async def accepts(name: str, query: object) -> bool:
        await trio.sleep(1)
        return True

    parent = io.of(accepts)
    ids = set()

    async def come() -> None:
        async with connect(io, "/chat") as client:
            ids.add(client.id)
            await trio.sleep(5)
            assert set(io.of("/chat").sockets) == ids

    async with io, trio.open_nursery() as nursery:
        nursery.start_soon(come)
        nursery.start_soon(come)
    assert len(ids) == 2
    assert list(parent.children) == ["/chat"]


async def test_broadcast_reaches_all_children(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    parent = io.of(re.compile(r"/room-\d"))
    async with connect(io, "/room-1") as one, connect(io, "/room-2") as two, connect(io):
        await parent.emit("to all", b"\1")
        await parent.to(one.id).emit("to one")
        await parent.except_(one.id).emit("to the other")
        await io.of("/room-2").emit("of one's own")
        assert await parent.clients() == {one.id, two.id}
        assert await parent.in_(two.id).clients() == {two.id}
        assert [await one.receive() for _ in range(2)] == [["to all", b"\1"], ["to one"]]
        assert [await two.receive() for _ in range(3)] == [
            ["to all", b"\1"],
            ["to the other"],
            ["of one's own"],
        ]


async def test_handlers_and_middleware_are_every_childs(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    story: list[str] = []
    parent = io.of(re.compile(r"/room-\d"))

    def note(what: str, socket: Socket) -> None:
        story.append(f"{what} {socket.namespace.name}")

    parent.on("connection", lambda socket: note("parent", socket))
    async with connect(io, "/room-1"):
        # What is added later holds for the next, in children that exist, too.
        parent.use(lambda socket: note("middleware", socket))
        parent.on("connection", lambda socket: note("later", socket))
        io.of("/room-1").use(lambda socket: note("own middleware", socket))
        io.of("/room-1").on("connection", lambda socket: note("own", socket))
        async with connect(io, "/room-1"), connect(io, "/room-2"):
            await wait_all_tasks_blocked()
    assert [line for line in story if line.endswith("/room-1")] == [
        "parent /room-1",
        "middleware /room-1",
        "own middleware /room-1",
        "parent /room-1",
        "later /room-1",
        "own /room-1",
    ]
    assert [line.split()[0] for line in story if line.endswith("/room-2")] == [
        "middleware",
        "parent",
        "later",
    ]


async def test_parents_middleware_may_refuse(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    @io.of(re.compile("/.*")).use
    async def refuse(socket: Socket) -> None:
        raise ConnectionRefused("no")

    async with connect(io) as client:
        assert await try_to_join(io, client, "/a", "/b") == []
        assert client.session.reason is None


async def test_failing_function_is_a_no_and_logged_once(
    autojump_clock: trio.abc.Clock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.of(lambda name, query: 1 / 0)
    io.of("/good")
    async with connect(io, raise_errors=False) as client:
        assert await try_to_join(io, client, "/bad", "/good") == ["/good"]
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.getMessage() == "the function of a dynamic namespace failed for '/bad'"
    assert "ZeroDivisionError" in caplog.text


async def test_client_leaves_while_the_function_thinks(autojump_clock: trio.abc.Clock) -> None:
    io = Server()

    async def accepts(name: str, query: object) -> bool:
        await trio.sleep(3)
        return True

    io.of(accepts)
    async with connect(io) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/chat"))
        await trio.sleep(1)
    assert not io.router.clients
    assert all(not namespace.sockets for namespace in io.router.namespaces.values())


def test_of_makes_a_namespace_once() -> None:
    io = Server()
    chat = io.of("/chat")
    assert isinstance(chat, Namespace)
    assert io.of("chat") is chat
    assert io.of("/") is io.of("") is io.sockets
    assert repr(chat) == "<Namespace '/chat'>"


async def test_nobody_can_join_a_parent_by_its_name(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    parent = io.of(re.compile("/room"))
    async with connect(io) as client:
        assert await try_to_join(io, client, parent.name) == []


@pytest.mark.parametrize("name", ["/a,b", "a?b=c", "/a#b"])
def test_a_name_that_the_wire_would_cut_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot have"):
        Server().of(name)


async def test_a_namespace_that_went_while_a_client_waited_is_made_again() -> None:
    """It was found when the client asked, and had gone when the client could join."""
    namespaces = Server().router.namespaces
    parent = namespaces.of_matching(re.compile("/a"))
    first = namespaces.acquire("/a", parent)
    found = namespaces.find("/a", {}, lambda error: pytest.fail(repr(error)))
    assert found is first
    namespaces.release(first, lambda error: pytest.fail(repr(error)))
    assert not parent.children
    again = namespaces.adopt("/a", first)
    assert again is not first
    assert namespaces["/a"] is again is parent.children["/a"]
    assert namespaces.adopt("/a", again) is again


class Unclear:
    """An answer that is neither yes nor no."""

    def __bool__(self) -> bool:
        raise ValueError("neither yes nor no")


async def raises_late(name: str, query: object) -> bool:
    await trio.sleep(1)
    raise LookupError("no database")


async def unclear(name: str, query: object) -> object:
    await trio.sleep(1)
    return Unclear()


def raises(name: str, query: object) -> bool:
    raise LookupError("no database")


def refuses(name: str, query: object) -> bool:
    raise ConnectionRefused("no")


@pytest.mark.parametrize("later_is_async", [False, True])
@pytest.mark.parametrize(
    ("function", "logged"),
    [
        (raises, "no database"),
        (raises_late, "no database"),
        (lambda name, query: Unclear(), "neither yes nor no"),
        (unclear, "neither yes nor no"),
        (refuses, ""),
        (lambda name, query: None, ""),
        (lambda name, query: "", ""),
    ],
)
async def test_after_a_function_that_fails_the_next_one_is_asked(
    function: Callable[[str, object], object],
    logged: str,
    later_is_async: bool,
    autojump_clock: trio.abc.Clock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = Server()

    async def later(name: str, query: object) -> object:
        await trio.sleep(1)
        return "yes"  # what is true is a yes

    io.of(function)
    parent = io.of(later) if later_is_async else io.of(lambda name, query: [name])
    async with connect(io, "/chat", raise_errors=False):
        assert [*parent.children] == ["/chat"]
    records = [record for record in caplog.records if record.levelname == "ERROR"]
    assert len(records) == bool(logged)
    assert all(logged in str(record.exc_info) for record in records)


@pytest.mark.parametrize("is_closed_by_us", [False, True])
async def test_a_function_that_does_not_answer_holds_up_its_namespace_until_its_client_goes(
    is_closed_by_us: bool, autojump_clock: trio.abc.Clock
) -> None:
    io = Server()
    asked: list[str] = []

    async def think(name: str, query: object) -> bool:
        try:
            await trio.sleep_forever()
        finally:
            asked.append(name)
        return True

    io.of(think)
    io.of("/other")
    async with io:
        async with connect(io) as client:
            assert await try_to_join(io, client, "/chat", "/other") == ["/other"]
            assert asked == []
            if is_closed_by_us:
                await io.aclose()
        await wait_all_tasks_blocked()
        assert asked == ["/chat"]
        assert not io.router.clients
        assert not io.engine.sessions
        assert trio.current_time() < 30


# -- statistics --------------------------------------------------------------------------------


async def test_children_are_counted_together_and_what_was_counted_stays(
    autojump_clock: trio.abc.Clock,
) -> None:
    io = Server()
    rooms = io.of(re.compile("/room-[0-9]+"))
    rooms.on("hello", lambda socket: "hello")
    async with connect(io) as client:
        for number in range(3):
            assert await try_to_join(io, client, f"/room-{number}")
            await client.send_packet(Packet(PacketType.EVENT, f"/room-{number}", ["hello"]))
        await wait_all_tasks_blocked()
        now = rooms.statistics()
        assert (now.sockets, now.joined, now.events_in, now.calls) == (3, 3, 3, 3)
        assert io.router.namespaces["/room-0"].statistics() == now
        assert list(io.statistics().namespaces) == ["/", "/room-[0-9]+"]
        await client.send_packet(Packet(PacketType.DISCONNECT, "/room-0"))
        await wait_all_tasks_blocked()
        assert "/room-0" not in io.router.namespaces
        left = {**now.left, "client namespace disconnect": 1}
        assert rooms.statistics() == replace(now, sockets=2, left=left)
        assert await try_to_join(io, client, "/room-0")
        assert rooms.statistics() == replace(now, sockets=3, left=left, joined=4)


async def test_those_of_the_same_name_are_added_up(autojump_clock: trio.abc.Clock) -> None:
    """Whatever the application calls its namespaces, each name is there once."""
    io = Server()
    for name in ("/same", re.compile("/same"), re.compile("/same"), "/" + "x" * 70):
        io.of(name)
    io.of("/" + "x" * 80)
    async with connect(io, "/same"):
        found = io.statistics().namespaces
        assert list(found) == ["/", "/same", "/" + "x" * 59 + "…"]
        assert [one.sockets for one in found.values()] == [1, 1, 0]


# -- new_namespace ---------------------------------------------------------------------------------


def test_handlers_of_new_namespace_get_each_and_once_gets_one() -> None:
    io = Server()
    told: list[str] = []
    io.on("new_namespace", lambda namespace: told.append(namespace.name))
    io.of("/").once("new_namespace", lambda namespace: told.append("once"))
    io.on("new_namespace", lambda: told.append("nothing"))
    for name in ("a", "/a", "/b", "/"):
        io.of(name)
    assert told == ["/a", "once", "nothing", "/b", "nothing"]


def test_where_and_how_new_namespace_is_not_heard() -> None:
    io = Server()

    async def later(namespace: object) -> None: ...

    with pytest.raises(TypeError, match="must not be async"):
        io.on("new_namespace", later)
    with pytest.raises(TypeError, match=r"gets \(namespace\)"):
        io.on("new_namespace", lambda socket, namespace: None)
    for other in (io.of("/a"), io.of(re.compile("/b"))):
        with pytest.raises(ValueError, match="are for the namespace '/'"):
            other.on("new_namespace", lambda namespace: None)


def test_what_a_handler_of_new_namespace_raises_comes_out_of_of() -> None:
    io = Server()
    told: list[object] = []

    @io.on("new_namespace")
    def fail(namespace: object) -> None:
        raise ZeroDivisionError("oh")

    io.on("new_namespace", told.append)
    with pytest.raises(ZeroDivisionError):
        io.of("/a")
    assert told == [io.of("/a")]  # it is there, and the others have heard of it


async def test_a_handler_of_new_namespace_that_fails_costs_no_client_anything(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = Server()
    io.of(re.compile("/room-.*")).on("here?", lambda socket: socket.namespace.name)

    @io.on("new_namespace")
    def fail(namespace: object) -> None:
        raise ZeroDivisionError("oh")

    async with io:
        for name in ("/room-1", "/room-2"):
            async with connect(io, name, raise_errors=False) as client:
                assert await client.call("here?") == [name]
    assert 'a handler of "new_namespace" failed for' in caplog.text
    with pytest.raises(ZeroDivisionError):
        async with connect(io, "/room-3") as client:
            await trio.sleep(1)
    assert "/room-3" not in io.router.namespaces  # it went with the client


@pytest.mark.parametrize("eio", [3, 4])
async def test_a_client_sets_off_no_handler_of_new_namespace(
    eio: int, autojump_clock: MockClock
) -> None:
    io, heard = server(), list[object]()
    io.on("new_namespace", heard.append)
    io.on("connection", lambda socket: socket.on("new_namespace", lambda: heard.append("own")))
    async with open_client(io, eio=eio) as websocket:
        if eio == 4:
            await join(websocket)
        else:
            assert await websocket.receive() == "40"
        await websocket.send('42["new_namespace"]')
        await expect_quiet(websocket)
    assert heard == ["own"]
