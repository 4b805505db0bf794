"""What other servers could not be sure to read, and what a client can do to all of them by it."""

import json

import pytest
import trio
from hypothesis import given, strategies as st

from tests.support.foreign_node import settle
from tests.support.modern import join
from trio_sio import MissingAnswers, Server
from trio_sio.adapters.cluster.told import MAX_LEVELS, is_deep
from trio_sio.testing import open_wire
from trio_sio.testing.cluster import MemoryCluster
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_websocket import WireWebSocket

Clock = trio.abc.Clock
GENERATIONS = pytest.mark.parametrize("generation", [2, 4])
HOSTILE = pytest.mark.parametrize(
    "said",
    [
        *(f'{{"a":{"[" * levels}{"]" * levels}}}' for levels in (400, 950, 990, 3000, 9998)),
        '{"a":"\\ud800","\\ud800":1}',
        '{"a":1e999,"b":' + "9" * 400 + "}",
    ],
    ids=["400", "950", "990", "3000", "9998", "surrogates", "numbers"],
)
"""What a client of any server can say."""

values = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner) | st.tuples(inner, inner),
)


def levels(value: object) -> int:
    if isinstance(value, dict):
        return 1 + max(map(levels, value.values()), default=0)
    return 1 + max(map(levels, value), default=0) if isinstance(value, list | tuple) else 0


@given(values, st.integers(MAX_LEVELS - 8, MAX_LEVELS + 2), st.booleans())
def test_levels_are_counted_wherever_they_are(value: object, more: int, in_dicts: bool) -> None:
    total = levels(value) + more
    for _ in range(more):
        value = {"a": 1, "b": value, "c": "x"} if in_dicts else [1, value, "x"]
    assert is_deep(value) is (total > MAX_LEVELS)


@pytest.mark.parametrize("levels", [MAX_LEVELS + 1, 100_000])
def test_more_of_them_need_no_stack(levels: int) -> None:
    value: list[object] = []
    for _ in range(levels - 1):
        value = [value]
    assert is_deep(value)


def test_what_contains_itself_is_deep() -> None:
    value: list[object] = []
    value += [value, value]
    assert is_deep(value)


def test_python_reads_what_is_not_deep() -> None:
    text = "[" * MAX_LEVELS + "]" * MAX_LEVELS
    assert not is_deep(json.loads(text))


async def open_modern(wire: WireClient, auth: str = "") -> tuple[WireWebSocket, str]:
    """A client of Socket.IO 4 that has joined, and its id."""
    websocket = await wire.websocket(eio=4)
    await websocket.receive()
    return websocket, (await join(websocket, f"40{auth}"))["sid"]


@GENERATIONS
@HOSTILE
async def test_no_client_can_hide_the_others_of_its_server(
    autojump_clock: Clock, generation: int, said: str
) -> None:
    cluster = MemoryCluster()
    here, there = (Server(adapter=cluster.join(generation=generation)) for _ in "12")
    async with here, there, open_wire(there) as wire:
        _, hostile = await open_modern(wire, said)
        _, other = await open_modern(wire, '{"token":"1"}')
        there.sockets.connected[other].data["deep"] = json.loads("[" * 600 + "]" * 600)
        await settle()
        found = await here.fetch_sockets()
        assert found.complete
        assert {one.id for one in found} == {hostile, other}
        assert {one.id: one.handshake.auth for one in found}[other] == {"token": "1"}


@GENERATIONS
@HOSTILE
async def test_no_client_can_take_the_answers_of_the_others_along(
    autojump_clock: Clock, generation: int, said: str
) -> None:
    cluster = MemoryCluster()
    here, there = (Server(adapter=cluster.join(generation=generation)) for _ in "12")
    arrived: list[object] = []

    async def ask() -> None:
        try:
            arrived.extend(await here.call("q", timeout=3))
        except MissingAnswers as error:
            arrived.extend(error.answers)

    async with here, there, open_wire(there) as wire:
        hostile, _ = await open_modern(wire)
        other, _ = await open_modern(wire)
        await settle()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            for websocket, answer in ((hostile, said), (other, "2")):
                question = await websocket.receive()
                assert isinstance(question, str)
                await websocket.send(f"43{question[2 : question.index('[')]}[{answer}]")
                await settle()
        assert 2 in arrived
