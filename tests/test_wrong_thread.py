"""Whoever calls from another thread, loop or Trio run is told what to do, and changes nothing."""

import asyncio
import inspect
import re
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.support.fingerprint import fingerprint
from trio_sio.abc import Target
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

ROOT = Path(__file__).parents[1]
TABLE = (ROOT / "docs" / "javascript-api.md").read_text("utf-8")
PACKET = trio_sio.Packet(trio_sio.PacketType.EVENT, "/", ["x"])
LEFT, RIGHT = trio.testing.memory_stream_pair()

# What each target has for all its sockets.
MANY: dict[str, tuple[object, ...]] = {
    "answers": ("x",),
    "call": ("x",),
    "disconnect_sockets": (),
    "fetch_sockets": (),
    "sockets_join": ("r2",),
    "sockets_leave": ("r",),
}
# What each public method is called with: it may not be called from elsewhere.
CALLS: dict[str, dict[str, tuple[object, ...]]] = {
    "io": {
        "aclose": (),
        **MANY,
        "clients": (),
        "drain": (),
        "emit": ("x",),
        "emit_nowait": ("x",),
        "send": ("x",),
        "serve_listeners": ([],),
        "serve_session": (None,),
        "serve_stream": (LEFT,),
        "serve_tcp": (0, "127.0.0.1"),
        "server_side_call": ("x",),
        "server_side_emit": ("x",),
        "statistics": (),
    },
    "namespace": {
        **MANY,
        "clients": (),
        "emit": ("x",),
        "emit_nowait": ("x",),
        "send": ("x",),
        "server_side_call": ("x",),
        "server_side_emit": ("x",),
        "statistics": (),
    },
    "parent": {
        **MANY,
        "clients": (),
        "emit": ("x",),
        "emit_nowait": ("x",),
        "send": ("x",),
        "statistics": (),
    },
    "target": {**MANY, "clients": (), "emit": ("x",), "emit_nowait": ("x",), "send": ("x",)},
    "socket": {
        "call": ("x",),
        "disconnect": (),
        "emit": ("x",),
        "emit_nowait": ("x",),
        "join": ("r2",),
        "leave": ("r",),
        "send": ("x",),
        "statistics": (),
    },
    "client": {},
    "adapter": {
        "add_all": ("sid", ["r2"]),
        "add_sockets": (Target(), ["r2"]),
        "all_rooms": (),
        "answer": (None,),
        "broadcast": (PACKET, Target()),
        "broadcast_nowait": (PACKET, Target()),
        "broadcast_with_ack": (PACKET, Target(), None),
        "client_rooms": ("sid",),
        "clients": (["r"],),
        "close": (),
        "custom_request": (),
        "disconnect_sockets": (Target(),),
        "fetch_sockets": (Target(),),
        "on_custom_request": (repr,),
        "remote_disconnect": ("sid",),
        "remote_join": ("sid", "r2"),
        "remote_leave": ("sid", "r"),
        "remove": ("sid", "r"),
        "remove_all": ("sid",),
        "remove_sockets": (Target(), ["r"]),
        "rooms_of": ("sid",),
        "server_count": (),
        "server_side_call": (["x"], 1.0),
        "server_side_emit": (["x"],),
    },
    "session": {
        "abort": (trio_sio.DisconnectReason.FORCED_CLOSE,),
        "close": (),
        "send": ("x",),
        "send_nowait": ("x",),
        "send_volatile": ("x",),
        "statistics": (),
        "wait_closed": (),
    },
    "engine": {
        "aclose": (),
        "open_session": ("sid", None, None, None),
        "refusing_handshakes": (),
        "serve_listeners": (None, []),
        "serve_request": (None, None, None),
        "serve_stream": (LEFT, None),
        "serve_tcp": (None, 0),
        "statistics": (),
    },
}
# What may be called from anywhere.
VALUES = {"to", "in_", "except_", "compress", "binary", "on_overflow", "get", "get_all"}
"""They return a new value, or read one that does not change."""
REGISTERING = {
    *("event", "event_names", "of", "on", "on_backlog", "once", "register"),
    *("remove_all_listeners", "remove_listener", "use", "on_headers", "on_refusal"),
    *("on_any", "on_any_outgoing", "remove_any", "remove_any_outgoing", "on_server"),
    *("once_server", "remove_server_listener", "remove_all_server_listeners"),
    "server_event_names",
}
"""A table of handlers is replaced in one step. Modules register theirs when they are imported."""
OTHERS = {
    ("io", "as_fallback"): "describes the server to another one",
    ("engine", "set_options"): "raises once serving has begun",
    ("session", "receive"): "a session has one reader, which is there already",
    ("session", "settle"): "so has it before the first message",
}

CALLED = [(owner, name) for owner, names in CALLS.items() for name in names]

Call = Callable[[], object]


class Stage:
    """A server with a client, and what can be called of it."""

    def __init__(self, io: trio_sio.Server, socket: trio_sio.Socket) -> None:
        self.io = io
        self.objects: dict[str, Any] = {
            "io": io,
            "namespace": io.sockets,
            "parent": io.of(re.compile("/x")),
            "target": io.to("r"),
            "socket": socket,
            "client": socket.client,
            "adapter": io.sockets.adapter,
            "session": socket.session,
            "engine": io.engine,
        }

    def call(self, owner: str, name: str) -> Call:
        return partial(getattr(self.objects[owner], name), *CALLS[owner][name])


@asynccontextmanager
async def stage(adapter: Callable[[Any], trio_sio.Adapter] | None = None) -> AsyncIterator[Stage]:
    io = trio_sio.Server(adapter=adapter, slow_step=None)  # the machine may be busy
    async with io, connect(io):
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.connected.values()
        await socket.join("r")
        yield Stage(io, socket)


# -- from where --------------------------------------------------------------------------------


def begin(call: Call) -> None:
    """Call it where no loop runs; of what is async, take the first step."""
    result = call()
    if inspect.iscoroutine(result):
        try:
            result.send(None)
        finally:
            result.close()


async def wait(call: Call) -> None:
    result = call()
    if isinstance(result, Awaitable):
        await result


def from_a_thread_of_its_own(call: Call) -> None:
    errors: list[BaseException] = []

    def run() -> None:
        try:
            begin(call)
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    for error in errors:
        raise error


PLACES: dict[str, Callable[[Call], None]] = {
    "a thread of Trio": begin,
    "another thread": from_a_thread_of_its_own,
    "asyncio": lambda call: asyncio.run(wait(call)),
    "another Trio run": lambda call: trio.run(wait, call),
}


@pytest.mark.parametrize("place", PLACES)
async def test_whatever_is_called_from_elsewhere_says_what_to_do_and_changes_nothing(
    place: str,
) -> None:
    cluster = MemoryCluster()
    for adapter in (None, cluster.join()):
        async with stage(adapter) as on:
            for owner, name in CALLED:
                if hasattr(on.objects[owner], name):  # `answer` is a MemoryAdapter's alone
                    before = fingerprint(on.io)
                    with pytest.raises(RuntimeError, match=r"trio\.from_thread\.run") as caught:
                        await trio.to_thread.run_sync(PLACES[place], on.call(owner, name))
                    assert "has done nothing" in str(caught.value), (owner, name)
                    after = fingerprint(on.io)
                    changed = {key for key in after if after[key] != before.get(key)}
                    assert (changed, after.keys()) == (set(), before.keys()), (owner, name)
            assert len(before) > 300  # so it has looked into all corners


@pytest.mark.parametrize("owner", CALLS)
async def test_no_public_method_is_forgotten(owner: str) -> None:
    async with stage() as on:
        one = on.objects[owner]
        documented = set(re.findall(rf"\b{owner}\.(\w+)", TABLE))
        methods = {
            name
            for name in dir(one)
            if not name.startswith("_")
            and not isinstance(inspect.getattr_static(type(one), name, None), property)
            and callable(getattr(one, name))
        }
        anywhere = VALUES | REGISTERING | {name for kind, name in OTHERS if kind == owner}
        assert (methods & documented) - anywhere - CALLS[owner].keys() == set()
        assert CALLS[owner].keys() <= methods
        assert CALLS[owner].keys() & anywhere == set()


# -- what else is called from elsewhere ----------------------------------------------------------


@pytest.mark.parametrize("place", PLACES)
async def test_a_namespace_that_exists_is_found_from_anywhere_and_another_one_is_not_made(
    place: str,
) -> None:
    async with stage() as on:
        io = on.io
        chat, before = io.of("/chat"), fingerprint(io)
        found: list[object] = []
        find: Call = lambda: found.append(io.of("/chat").to("r").volatile.audience)  # noqa: E731
        await trio.to_thread.run_sync(PLACES[place], find)
        assert found == [chat]
        for name in ("/new", re.compile("/new.*")):
            with pytest.raises(RuntimeError, match=r"trio\.from_thread\.run_sync\(io\.of, "):
                await trio.to_thread.run_sync(PLACES[place], partial(io.of, name))
        assert fingerprint(io) == before


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("flag", ["volatile", "compress", "binary", "on_overflow"])
async def test_no_flag_and_no_acknowledgement_gets_past(place: str, flag: str) -> None:
    values = {"volatile": None, "compress": False, "binary": False, "on_overflow": "drop_newest"}
    async with stage() as on:
        one = getattr(on.objects["socket"], flag)
        one = one if flag == "volatile" else one(values[flag])
        before = fingerprint(on.io)
        calls: list[Call] = [
            partial(one.emit, "x"),
            partial(one.emit_nowait, "x"),
            partial(one.emit, "x", ack=print),
            partial(one.call, "x"),
            partial(one.to("r").emit, "x"),
            partial(one.broadcast.emit_nowait, "x"),
        ]
        for call in calls:
            with pytest.raises(RuntimeError, match="has done nothing"):
                await trio.to_thread.run_sync(PLACES[place], call)
        assert fingerprint(on.io) == before


@pytest.mark.parametrize("place", PLACES)
async def test_an_answer_that_a_thread_gives(place: str) -> None:
    io = trio_sio.Server()
    refused = trio.Event()

    @io.on("ask", ack=True)
    async def ask(socket: trio_sio.Socket, ack: Callable[..., None]) -> None:
        with pytest.raises(RuntimeError, match=r"trio\.from_thread\.run_sync\(ack, "):
            await trio.to_thread.run_sync(PLACES[place], partial(ack, "wrong"))
        refused.set()
        await trio.to_thread.run_sync(partial(trio.from_thread.run_sync, ack, "right"))

    async with io, connect(io) as client:
        assert await client.call("ask") == ["right"]
        assert refused.is_set()


async def test_the_advice_is_right() -> None:
    async with stage() as on:
        socket, token = on.objects["socket"], trio.lowlevel.current_trio_token()
        sent = on.io.statistics().events_out

        def work() -> None:
            trio.from_thread.run(socket.emit, "x")
            trio.from_thread.run_sync(socket.emit_nowait, "x")
            trio.from_thread.run(on.io.to("r").emit, "x")
            trio.from_thread.run(socket.join, "r3")

        def work_elsewhere() -> None:
            trio.from_thread.run(socket.emit, "x", trio_token=token)
            trio.from_thread.run_sync(on.io.emit_nowait, "x", trio_token=token)

        await trio.to_thread.run_sync(work)
        await trio.to_thread.run_sync(from_a_thread_of_its_own, work_elsewhere)
        assert on.io.statistics().events_out == sent + 5
        assert "r3" in socket.rooms


# -- a server that does not serve ----------------------------------------------------------------

STARTING: dict[str, Callable[[trio_sio.Server], Call]] = {
    "serve_tcp": lambda io: partial(io.serve_tcp, 0, "127.0.0.1"),
    "serve_listeners": lambda io: partial(io.serve_listeners, []),
    "__aenter__": lambda io: io.__aenter__,
    "engine.serve_tcp": lambda io: partial(io.engine.serve_tcp, io.serve_session, 0),
    "engine.__aenter__": lambda io: io.engine.__aenter__,
    "emit": lambda io: partial(io.emit, "x"),
    "emit_nowait": lambda io: partial(io.emit_nowait, "x"),
}


@pytest.mark.parametrize("name", STARTING)
@pytest.mark.parametrize("place", ["another thread", "asyncio"])
def test_it_cannot_serve_or_emit_without_trio(place: str, name: str) -> None:
    io = trio_sio.Server()
    before = fingerprint(io)
    with pytest.raises(RuntimeError, match=r"this is a Trio server, and .*trio_sio\.run\(io\)"):
        PLACES[place](STARTING[name](io))
    assert fingerprint(io) == before


def test_what_it_was_can_be_read_when_trio_has_ended() -> None:
    async def main() -> tuple[trio_sio.Server, trio_sio.Socket]:
        async with stage() as on:
            return on.io, on.objects["socket"]

    io, socket = trio.run(main)
    assert io.statistics().sessions == 0
    assert socket.rooms == frozenset()
    with pytest.raises(RuntimeError, match="has done nothing"):
        io.emit_nowait("x")

    async def again() -> None:
        async with io, connect(io) as client:
            await io.emit("x")
            assert await client.receive() == ["x"]

    trio.run(again)  # another run, and the server's from now on


async def test_two_servers_in_one_run() -> None:
    async with stage() as one, stage() as other:
        assert one.io is not other.io
        other.io.emit_nowait("x")
        one.io.emit_nowait("x")


# -- Trio as a guest -----------------------------------------------------------------------------


def test_the_loop_that_has_trio_as_its_guest_may_call_what_is_not_async() -> None:
    stages: list[Stage] = []
    heard: list[object] = []

    async def guest(ready: asyncio.Event) -> None:
        io = trio_sio.Server()
        async with io, connect(io) as client:
            await wait_all_tasks_blocked()
            (socket,) = io.sockets.connected.values()
            stages.append(Stage(io, socket))
            ready.set()
            heard.append(await client.receive())

    async def host() -> None:
        ended, ready = asyncio.Event(), asyncio.Event()
        trio.lowlevel.start_guest_run(
            guest,
            ready,
            run_sync_soon_threadsafe=asyncio.get_running_loop().call_soon_threadsafe,
            done_callback=lambda outcome: ended.set(),
        )
        await ready.wait()
        (on,) = stages
        before = fingerprint(on.io)
        for owner, name in (("io", "emit"), ("socket", "emit"), ("socket", "join")):
            with pytest.raises(RuntimeError, match="asyncio runs here"):
                await on.call(owner, name)()  # type: ignore[misc]
        assert fingerprint(on.io) == before
        on.objects["socket"].emit_nowait("hello")
        await ended.wait()

    asyncio.run(host())
    assert heard == [["hello"]]


async def test_the_guide_shows_the_sentence() -> None:
    guide = (ROOT / "docs" / "guide" / "threads.md").read_text("utf-8")
    async with stage() as on:
        with pytest.raises(RuntimeError) as caught:
            await trio.to_thread.run_sync(begin, on.call("socket", "emit"))
    assert str(caught.value) in " ".join(guide.split())
