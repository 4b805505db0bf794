"""No flag is lost on its way through any chain of verbs, whatever the chain begins with."""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from itertools import permutations
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Server, Socket
from trio_sio.abc import Flags
from trio_sio.protocol.encoded import Encoded
from trio_sio.router.broadcast import Broadcast
from trio_sio.testing import connect

FLAGS: dict[str, tuple[Callable[[Any], Any], dict[str, object]]] = {
    "volatile": (lambda one: one.volatile, {"volatile": True}),
    "compress": (lambda one: one.compress(False), {"compress": False}),
    "binary": (lambda one: one.binary(False), {"binary": False}),
    "on_overflow": (lambda one: one.on_overflow("drop_oldest"), {"on_overflow": "drop_oldest"}),
    "local": (lambda one: one.local, {"local": True}),
}
TARGETS: dict[str, Callable[[Any], Any]] = {
    "to": lambda one: one.to("a"),
    "in_": lambda one: one.in_("a"),
    "except_": lambda one: one.except_("b"),
    "broadcast": lambda one: one.broadcast,
}
STARTS = ("io", "namespace", "parent", "socket")


def start(name: str, io: Server, socket: Socket) -> Any:  # noqa: ANN401 - each its own
    starts = {"io": io, "namespace": io.of("/"), "parent": io.of(lambda *_: True)}
    return starts.get(name, socket)


def chains() -> Iterator[tuple[str, ...]]:
    """Each flag before and behind each verb, and each pair of flags in both orders."""
    for flag in FLAGS:
        yield (flag,)
        for target in TARGETS:
            yield flag, target
            yield target, flag
            for another in TARGETS:
                yield target, flag, another
    for pair in permutations(FLAGS, 2):
        yield pair
        yield (*pair, "in_")


def can(one: object, verb: str) -> bool:
    return hasattr(one, verb)


@pytest.mark.parametrize("begin", STARTS)
async def test_each_flag_comes_through_each_chain(begin: str, autojump_clock: MockClock) -> None:
    io = Server()
    checked = 0
    async with connect(io):
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        for chain in chains():
            one, expected = start(begin, io, socket), Flags()
            for verb in chain:
                if not can(one, verb):
                    break
                one = (FLAGS[verb][0] if verb in FLAGS else TARGETS[verb])(one)
                if verb in FLAGS:
                    expected = replace(expected, **FLAGS[verb][1])  # type: ignore[arg-type]
            else:
                checked += 1
                assert one.flags == expected, chain
                if isinstance(one, Broadcast):
                    assert one.rooms == ({"a"} if {"to", "in_"} & {*chain} else set()), chain
                    assert one.excepted == ({"b"} if "except_" in chain else set()), chain
                    assert one.sender == (socket.id if begin == "socket" else None), chain
    assert checked >= 40  # `local` and `except_` are a target's, `broadcast` is a socket's


class Spy:
    """Sees what a session is given, and how."""

    def __init__(self, socket: Socket) -> None:
        self.items: list[tuple[str, Encoded]] = []
        session: Any = socket.session
        for verb in ("send", "send_nowait", "send_volatile", "deliver"):
            setattr(session, verb, self._seen(verb, getattr(session, verb)))
        socket.deliver = session.deliver

    def _seen(self, verb: str, function: Callable[[Encoded], Any]) -> Callable[[Encoded], Any]:
        def call(item: Encoded) -> Any:  # noqa: ANN401 - as the function
            self.items.append((verb, item))
            return function(item)

        return call


async def emit(one: Any) -> None:  # noqa: ANN401
    await one.emit("event", b"bytes")


async def send(one: Any) -> None:  # noqa: ANN401
    await one.send(b"bytes")


async def emit_nowait(one: Any) -> None:  # noqa: ANN401
    one.emit_nowait("event", b"bytes")


async def call(one: Any) -> None:  # noqa: ANN401
    with trio.move_on_after(0.1):
        await one.call("event", b"bytes")


async def emit_with_ack(one: Any) -> None:  # noqa: ANN401
    await one.emit("event", b"bytes", ack=print)


@pytest.mark.parametrize("verb", [emit, send, emit_nowait, call, emit_with_ack])
@pytest.mark.parametrize("begin", ["socket", "socket.to", "io", "namespace"])
@pytest.mark.parametrize("flag", [flag for flag in FLAGS if flag != "local"])
async def test_each_flag_has_its_effect_by_each_verb(
    flag: str, begin: str, verb: Callable[[Any], Awaitable[None]], autojump_clock: MockClock
) -> None:
    io = Server()
    async with connect(io) as sender, connect(io) as receiver:
        await wait_all_tasks_blocked()
        socket, other = io.sockets.sockets[sender.id], io.sockets.sockets[receiver.id]
        await other.join("a")
        spy = Spy(socket if begin == "socket" else other)
        flagged = FLAGS[flag][0](socket if begin.startswith("socket") else start(begin, io, socket))
        one = flagged.to("a") if begin == "socket.to" else flagged
        if not hasattr(one, verb.__name__.partition("_with")[0]) or (
            isinstance(one, Broadcast) and verb is emit_with_ack
        ):
            return  # a target has no answers by `ack`
        if flag == "on_overflow" and verb in (call, emit_with_ack):
            with pytest.raises(TypeError, match="may be dropped"):
                await verb(one)
            return
        await verb(one)
        ((way, item),) = spy.items
        assert (way == "send_volatile") is (flag == "volatile")
        assert item.compress is (flag != "compress")
        assert item.on_overflow == ("drop_oldest" if flag == "on_overflow" else "")
        assert len(item.parts) == (1 if flag == "binary" else 2)


async def test_a_volatile_call_that_cannot_leave_ends_at_once(autojump_clock: MockClock) -> None:
    io = Server()
    async with connect(io, buffer=1):
        await wait_all_tasks_blocked()
        (socket,) = io.sockets.sockets.values()
        for _ in range(3):
            await socket.emit("filler")
        with pytest.raises(trio.TooSlowError, match="dropped"):
            await socket.volatile.call("question")
        assert trio.current_time() == 0
        assert len(socket.sender.acks) == 0


@given(st.lists(st.sampled_from([*FLAGS, *TARGETS]), max_size=8))
def test_flags_of_any_chain_of_a_target_are_the_sum_of_its_verbs(chain: list[str]) -> None:
    one: Any = Broadcast(audience=Server().sockets)
    expected = Flags()
    for verb in chain:
        if verb == "broadcast":
            continue
        one = (FLAGS[verb][0] if verb in FLAGS else TARGETS[verb])(one)
        if verb in FLAGS:
            expected = replace(expected, **FLAGS[verb][1])  # type: ignore[arg-type]
    assert one.flags == expected
