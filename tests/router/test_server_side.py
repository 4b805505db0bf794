"""What the servers of a cluster tell each other: `server_side_emit`, `server_side_call`."""

import logging
import re
from collections.abc import Callable
from datetime import date
from functools import partial

import pytest
import trio

from tests.support.foreign_node import settle
from trio_sio import LocalProtocolError, NoAnswer, Server
from trio_sio.testing import connect
from trio_sio.testing.cluster import MemoryCluster

Clock = trio.abc.Clock
GENERATIONS = pytest.mark.parametrize("generation", [2, 4])


def servers(
    generation: int, json_default: Callable[[object], object] | None = None
) -> list[Server]:
    cluster = MemoryCluster()
    join = partial(cluster.join, generation=generation)
    return [Server(adapter=join(), raise_errors=False, json_default=json_default) for _ in range(3)]


async def test_a_server_alone() -> None:
    async with Server() as io:
        heard: list[object] = []
        io.on_server("x", heard.append)
        await io.server_side_emit("x", 1)
        assert await io.server_side_call("x", 1) == []
        assert await io.of("/room").server_side_call("x", timeout=1) == []
        assert heard == []


@GENERATIONS
async def test_others_hear_it_and_the_sender_does_not(
    autojump_clock: Clock, generation: int
) -> None:
    one, two, three = servers(generation)
    heard: list[object] = []
    for number, io in enumerate((one, two, three)):

        @io.on_server("news")
        async def news(*args: object, number: int = number) -> None:
            heard.append((number, *args))

    async with one, two, three:
        await settle()
        await one.server_side_emit("news", 1, {"a": [b"\x00\xff", None]})
        await settle()
        assert sorted(heard, key=str) == [
            (1, 1, {"a": [b"\x00\xff", None]}),
            (2, 1, {"a": [b"\x00\xff", None]}),
        ]
        await two.server_side_emit("nobody hears that")
        await settle()
        assert len(heard) == 2


@GENERATIONS
async def test_events_are_heard_in_their_order(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation)
    heard: list[object] = []
    two.on_server("n", heard.append)
    async with one, two:
        await settle()
        for number in range(50):
            await one.server_side_emit("n", number)
        await settle()
        assert heard == list(range(50))


@GENERATIONS
async def test_a_slow_handler_holds_up_nobody(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation)

    @two.on_server("slow")
    async def slow() -> str:
        await trio.sleep(3)
        return "slow"

    @two.on_server("quick")
    async def quick() -> list[str]:
        return await two.server_side_call("back")

    one.on_server("back", lambda: "answer")
    async with one, two, trio.open_nursery() as nursery:
        await settle()
        answers: list[object] = []

        async def call(event: str) -> None:
            answers.append(await one.server_side_call(event))

        nursery.start_soon(call, "slow")
        await settle()
        await call("quick")
        assert answers == [[["answer"]]]
        await trio.sleep(4)
        assert answers == [[["answer"]], ["slow"]]


@GENERATIONS
async def test_answers(autojump_clock: Clock, generation: int) -> None:
    one, two, three = servers(generation)

    @two.on_server("ask")
    async def ask(value: object) -> object:
        await trio.sleep(1)
        return {"two": value}

    @three.on_server("ask")
    def ask_three(value: object) -> object:
        return {"three": value}

    one.on_server("ask", lambda value: 1 / 0)
    async with one, two, three:
        await settle()
        assert await one.server_side_call("ask", b"x") == [{"three": b"x"}, {"two": b"x"}]
        assert await one.server_side_call("ask", 5) == [{"three": 5}, {"two": 5}]


@GENERATIONS
async def test_who_does_not_answer_is_missing(
    autojump_clock: Clock, generation: int, caplog: pytest.LogCaptureFixture
) -> None:
    one, two, three = servers(generation)
    two.on_server("ask", lambda: "here")

    @three.on_server("fails")
    @two.on_server("fails")
    def fails() -> None:
        raise KeyError("of the application")

    three.on_server("odd", object)
    two.on_server("odd", lambda: 1)
    async with one, two, three:
        await settle()
        begun = trio.current_time()
        with pytest.raises(
            NoAnswer, match=r"serverSideEmit response \(missing: node-3\)"
        ) as caught:
            await one.server_side_call("ask", timeout=2)
        assert trio.current_time() - begun == pytest.approx(2)
        assert (caught.value.replies, caught.value.missing) == (["here"], ("node-3",))
        with pytest.raises(NoAnswer, match="missing: node-2, node-3") as caught:
            await one.server_side_call("fails")
        assert caught.value.replies == []
        with pytest.raises(NoAnswer, match="missing: node-3") as caught:
            await one.server_side_call("odd")  # it cannot be sent
        assert caught.value.replies == [1]
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert len(logged) == 3
    texts = {record.getMessage() for record in logged}
    assert "a handler of 'fails', which another server has sent in '/', failed" in texts
    assert "a handler of 'odd', which another server has sent in '/', failed" in texts
    assert two.of("/").statistics().failures == 1


@GENERATIONS
async def test_a_handler_for_one_event(autojump_clock: Clock, generation: int) -> None:
    one, two, three = servers(generation)
    heard: list[object] = []

    @two.once_server("x")
    async def first(number: int) -> str:
        heard.append(number)
        return "first"

    three.once_server("x", lambda number: f"third {number}")
    three.on_server("x", lambda number: "always")
    assert (two.server_event_names(), one.server_event_names()) == (["x"], [])
    async with one, two, three:
        await settle()
        assert sorted(await one.server_side_call("x", 1)) == ["first", "third 1"]
        assert two.server_event_names() == []
        with pytest.raises(NoAnswer, match="missing: node-2") as caught:
            await one.server_side_call("x", 2)
        assert caught.value.replies == ["always"]
    assert heard == [1]


@GENERATIONS
async def test_handlers_that_are_removed(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation)
    heard: list[object] = []
    here, there, dynamic = one.of("/a"), two.of("/a"), two.of(re.compile("/d-."))
    for listener in (two, there, dynamic):
        for name in ("x", "y"):
            listener.on_server(name, heard.append)
        listener.once_server("z", heard.append)
        assert listener.server_event_names() == ["x", "y", "z"]
        listener.remove_server_listener("x", heard.append)
        listener.remove_server_listener("x", print)
        listener.remove_server_listener("z", heard.append)
        assert listener.server_event_names() == ["y"]
    there.remove_all_server_listeners("x")
    assert there.server_event_names() == ["y"]
    two.remove_all_server_listeners("y")
    dynamic.remove_all_server_listeners()
    assert (two.server_event_names(), dynamic.server_event_names()) == ([], [])
    async with one, two:
        await settle()
        for name in ("x", "y", "z"):
            await one.server_side_emit(name, name)
            await here.server_side_emit(name, f"/a {name}")
        await settle()
    assert heard == ["/a y"]


@GENERATIONS
async def test_namespaces_hear_their_own(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation)
    heard: list[object] = []
    for io in (one, two):
        io.of("/a").on_server("x", lambda: heard.append("/a"))
        io.of(re.compile("/d-.")).on_server("x", lambda: heard.append("parent"))
    async with one, two, connect(one, "/d-1"), connect(two, "/d-1"):
        await settle()
        await one.of("/a").server_side_emit("x")
        await one.server_side_emit("x")
        await one.of("/d-1").server_side_emit("x")
        await settle()
        assert sorted(map(str, heard)) == ["/a", "parent"]


async def test_a_child_with_such_a_handler_stays(autojump_clock: Clock) -> None:
    async with Server() as io:
        parent = io.of(re.compile("/d-."))

        @parent.on("connection")
        def connection(socket: object) -> None:
            (child,) = parent.children.values()
            child.on_server("x", print)

        async with connect(io, "/d-1"):
            pass
        await settle()
        assert list(parent.children) == ["/d-1"]


@GENERATIONS
async def test_foreign_values(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation, json_default=lambda value: f"<{type(value).__name__}>")
    two.on_server("x", lambda *args: [*args, 5j])
    async with one, two:
        await settle()
        assert await one.server_side_call("x", 1j, date(2026, 11, 29)) == [
            ["<complex>", "2026-11-29", "<complex>"]
        ]


@GENERATIONS
async def test_what_cannot_be_sent(autojump_clock: Clock, generation: int) -> None:
    one, two, _ = servers(generation)
    async with one, two:
        await settle()
        with pytest.raises(LocalProtocolError, match="object at"):
            await one.server_side_emit("x", object())
        with pytest.raises(LocalProtocolError, match="object at"):
            await one.server_side_call("x", object())


@pytest.mark.parametrize("name", ["connect", "connection", "new_namespace"])
async def test_reserved_names(name: str) -> None:
    async with Server() as io:
        with pytest.raises(ValueError, match=f"'{name}' is reserved"):
            await io.server_side_emit(name)
        with pytest.raises(ValueError, match="reserved"):
            await io.server_side_call(name)
        with pytest.raises(ValueError, match="reserved"):
            io.on_server(name)
        with pytest.raises(ValueError, match="reserved"):
            io.once_server(name, print)
        with pytest.raises(ValueError, match="reserved"):
            io.of(re.compile("/x")).on_server(name, print)
        await io.server_side_emit("disconnect")


async def test_wrong_arguments() -> None:
    async with Server() as io:
        with pytest.raises(TypeError, match="an event name must be a str"):
            await io.server_side_emit(5)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="@on takes the event"):
            io.on_server(print)  # type: ignore[call-overload]
        with pytest.raises(TypeError, match="timeout must be a number of seconds"):
            await io.server_side_call("x", timeout="5")  # type: ignore[arg-type]
        for timeout in (0, -1, float("nan")):
            with pytest.raises(ValueError, match="more than 0 seconds"):
                await io.server_side_call("x", timeout=timeout)


async def test_a_server_that_is_cut_off(autojump_clock: Clock) -> None:
    cluster = MemoryCluster()
    node = cluster.join()
    one, two = Server(adapter=node), Server(adapter=cluster.join())
    two.on_server("x", lambda: 1)
    async with one, two:
        await settle()
        node.cut()
        await one.server_side_emit("x")
        with pytest.raises(NoAnswer, match="node-2"):
            await one.server_side_call("x")
