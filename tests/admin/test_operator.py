"""What a page is sent and may ask for, driven by clients in memory."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.admin import Admin
from trio_sio.admin.operator import ORDERS_AT_ONCE
from trio_sio.testing import MemoryClient, connect


def everybody(socket: trio_sio.Socket) -> bool:
    return True


class Scene:
    """A server with a view, and an operator's page."""

    def __init__(self, io: trio_sio.Server, page: MemoryClient) -> None:
        self.io = io
        self.page = page
        self.hello: dict[str, Any] = {}

    async def next(self, wanted: str) -> dict[str, Any]:
        """Return the next event of a name."""
        while True:
            event, *args = await self.page.receive()
            if event == wanted:
                return dict(args[0])

    async def ask(self, event: str, *args: object) -> dict[str, Any]:
        (answer,) = await self.page.call(event, *args)
        return dict(answer)

    async def newest(self) -> int:
        """Return what the view calls the newest session that is not its own."""
        while True:
            rows = (await self.next("state"))["sessions"]["rows"]
            number: int = max(one["number"] for one in rows)
            if number > 1:
                return number


@asynccontextmanager
async def scene(io: trio_sio.Server, **options: Any) -> AsyncIterator[tuple[Scene, Admin]]:  # noqa: ANN401
    view = Admin(io, check=everybody, **options)
    async with io, connect(io, "/admin", raise_errors=False) as page:
        found = Scene(io, page)
        yield found, view


def make_server() -> trio_sio.Server:
    io = trio_sio.Server(max_inbox=32)

    @io.event
    async def message(socket: trio_sio.Socket, text: object) -> object:
        await socket.join("a room")
        return text

    return io


async def test_state(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _), connect(here.io) as client:
        hello = await here.next("hello")
        assert hello["options"] == [
            {"name": "fallback", "value": "trio_sio.admin.view.Admin.fallback.<locals>.answer"},
            {"name": "max_inbox", "value": "32"},
        ]
        await client.call("message", "hello")
        await trio.sleep(2)
        await here.next("state")
        state = await here.next("state")
        assert state["figures"]["sessions"] == 2
        assert state["sessions"]["all"] == 2
        newest, own = state["sessions"]["rows"]
        assert (newest["namespaces"], newest["rooms"]) == (["/"], 1)
        assert own["namespaces"] == ["/", "/admin"]
        assert newest["address"] == "127.0.0.1"
        names = {one["name"]: one for one in state["namespaces"]["rows"]}
        assert names["/"]["rooms"] == [{"name": "a room", "sockets": 1}]
        assert names["/"]["handlers"][0]["event"] == "message"
        assert state["ended"] == []


async def test_ids_are_never_whole(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _), connect(here.io) as client:
        number = await here.newest()
        assert client.session.id not in str(await here.ask("session", number))
        assert client.session.id not in str(await here.next("state"))


async def test_packets_are_sent_only_to_whoever_watches(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _), connect(here.io) as client:
        await here.next("hello")
        assert client.session.outbox.tap is None
        assert await here.ask("watch packets", True) == {"watching": True, "session": None}
        await client.call("message", "hello")
        batch = await here.next("packets")
        rows = [(one["in"], one["kind"], one["text"]) for one in batch["rows"]]
        assert rows == [(True, "EVENT", '0["message","hello"]'), (False, "ACK", '0["hello"]')]
        assert batch["missed"] == 0
        await here.ask("watch packets", False)
        assert client.session.outbox.tap is None


async def test_the_own_packets_of_the_view_are_not_shown(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _):
        await here.ask("watch packets", True)
        await trio.sleep(60)
        shown: list[Any] = []
        with trio.move_on_after(10):
            while True:
                event, batch = await here.page.receive()
                shown += batch["rows"] if event == "packets" else []
        assert {one["type"] for one in shown} == {"PING", "PONG"}  # of the page's session


async def test_a_new_session_is_watched_too_and_one_alone(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _), connect(here.io) as first:
        number = await here.newest()
        assert await here.ask("watch packets", True, number) == {
            "watching": True,
            "session": number,
        }
        async with connect(here.io) as second:
            await second.call("message", "from the second")
            await first.call("message", "from the first")
            rows = (await here.next("packets"))["rows"]
            assert {one["number"] for one in rows} == {number}
            await here.ask("watch packets", True, None)
            await second.call("message", "again")
            assert "again" in str(await here.next("packets"))


async def test_a_flood_is_counted_and_slows_nobody(autojump_clock: MockClock) -> None:
    io = make_server()
    async with scene(io) as (here, _), connect(io, buffer=10_000) as client:
        await here.ask("watch packets", True)
        for index in range(1000):
            await client.emit("message", index)
        total = 0
        while total < 1000:
            batch = await here.next("packets")
            assert len(batch["rows"]) <= 200
            total += len([one for one in batch["rows"] if one["in"]]) + batch["missed"]
        assert not client.session.closed


async def test_who_leaves_watches_no_more(autojump_clock: MockClock) -> None:
    io = make_server()
    Admin(io, check=everybody)
    async with io, connect(io) as client:
        async with connect(io, "/admin") as page:
            await page.call("watch packets", True)
            assert client.session.outbox.tap is not None
        await trio.sleep(1)
        assert client.session.outbox.tap is None


async def test_disconnecting(autojump_clock: MockClock) -> None:
    io = make_server()
    io.of("/chat")
    async with scene(io) as (here, _):
        async with connect(io, "/chat", raise_errors=False) as client:
            number = await here.newest()
            details = await here.ask("session", number)
            assert [one["namespace"] for one in details["sockets"]] == ["/", "/chat"]
            answer = await here.ask("disconnect socket", number, "/chat")
            assert answer == {"done": f"Session {number} leaves /chat."}
            assert "not in this namespace" in str(
                await here.ask("disconnect socket", number, "/chat")
            )
            await here.ask("disconnect session", number)
            await client.session.wait_closed()
        await trio.sleep(1)
        assert "not here any more" in (await here.ask("session", number))["error"]
        while not (ended := (await here.next("state"))["ended"]):
            pass
        assert ended[0]["number"] == number
        assert ended[0]["reason"] == "server namespace disconnect"


async def test_actions(autojump_clock: MockClock, caplog: pytest.LogCaptureFixture) -> None:
    async with scene(make_server()) as (here, view):

        @view.action("Add", description="Adds.", arguments={"a": 1, "b": 2.5})
        async def add(socket: trio_sio.Socket, a: int, b: float) -> float:
            assert socket.namespace.name == "/admin"
            return a + b

        @view.action("Fail", danger=True)
        async def fail(socket: trio_sio.Socket) -> None:
            raise OSError("secret")

        @view.action("Refuse")
        async def refuse(socket: trio_sio.Socket) -> None:
            raise trio_sio.PacketRefused("Not on Sundays.")

        assert await here.ask("action", "Add") == {"done": "3.5"}
        assert await here.ask("action", "Add", {"a": 2, "b": 1}) == {"done": "3.0"}
        failed = await here.ask("action", "Fail", {})
        assert failed == {"error": "It failed with OSError; the server's log says more."}
        assert "secret" in caplog.text
        assert await here.ask("action", "Refuse", {}) == {"error": "Not on Sundays."}
        assert await here.ask("action", "Add", {"a": 1, "b": 1}) == {"done": "2.0"}


async def test_read_only(autojump_clock: MockClock) -> None:
    async with scene(make_server(), read_only=True) as (here, view):

        @view.action("Add")
        async def add(socket: trio_sio.Socket) -> None:
            pytest.fail("it was called")

        hello = await here.next("hello")
        assert hello["read_only"]
        for order in (("action", "Add"), ("disconnect session", 1), ("disconnect socket", 1, "/")):
            assert "read_only" in (await here.ask(*order))["error"]
        assert not here.page.session.closed
        assert (await here.ask("watch packets", True))["watching"]


ODD: list[object] = [
    *(None, True, -1, 1.5, 10**30, "", "x" * 100_000, [], {}, [[]], {"a": {}}, b"\x00"),
    "__class__",
]
EVENTS = [
    *("watch packets", "sort", "filter", "session", "disconnect session", "disconnect socket"),
    "action",
]


@pytest.mark.parametrize("event", EVENTS)
async def test_hostile_input_ends_nothing(autojump_clock: MockClock, event: str) -> None:
    async with scene(make_server()) as (here, view), connect(here.io) as client:

        @view.action("Add", arguments={"a": 1, "text": "", "flag": False})
        async def add(socket: trio_sio.Socket, a: int, text: str, flag: bool) -> None:
            assert (type(a), type(text), type(flag)) == (int, str, bool)

        for odd in ODD:
            await trio.sleep(1)
            assert isinstance(await here.ask(event, odd), dict)
            given = {"a": odd} if event == "action" else odd
            assert isinstance(await here.ask(event, "Add", given, odd, odd), dict)
        await here.ask(event)
        assert await client.call("message", "still here") == ["still here"]
        assert not here.page.session.closed
        await here.next("state")


async def test_the_rate_of_orders(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _):
        answers = [await here.ask("sort", "id", True) for _ in range(ORDERS_AT_ONCE + 1)]
        assert answers[-2] == {}
        assert "too much at once" in answers[-1]["error"]
        await trio.sleep(1)
        assert await here.ask("sort", "id", False) == {}


async def test_sorting_and_filtering(autojump_clock: MockClock) -> None:
    async with scene(make_server()) as (here, _), connect(here.io), connect(here.io):
        await here.ask("sort", "since", False)
        await trio.sleep(3)
        for _ in range(3):
            rows = (await here.next("state"))["sessions"]["rows"]
        assert [one["since"] for one in rows] == sorted(one["since"] for one in rows)
        await here.ask("filter", "nothing like this")
        await trio.sleep(3)
        for _ in range(6):
            found = (await here.next("state"))["sessions"]
        assert (found["rows"], found["found"], found["all"]) == ([], 0, 3)


async def test_a_stall_names_the_action(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(slow_step=0.05)
    async with scene(io) as (here, view):

        @view.action("Hold the event loop")
        async def hold(socket: trio_sio.Socket) -> None:
            time.sleep(0.1)  # noqa: ASYNC251 - that is the point

        await here.ask("action", "Hold the event loop")
        while not (stalls := (await here.next("state"))["figures"]["recent_stalls"]):
            pass
        assert "hold" in stalls[0]["name"]
        assert stalls[0]["seconds"] >= 0.1
