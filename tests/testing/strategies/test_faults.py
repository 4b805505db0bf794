"""Faults: each kind is drawn, and what fails is made simple: no fault at all."""

from collections.abc import Callable

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from tests.support.drawn import is_drawn, simplest
from trio_sio import Server
from trio_sio.testing import Cut, Faults, Freeze, open_network, strategies as sio


@pytest.mark.slow
@pytest.mark.parametrize(
    "condition",
    [
        lambda one: one.delay[0] == one.delay[1] > 0,
        lambda one: one.delay[0] < one.delay[1],
        lambda one: one.chunk == 1,
        lambda one: one.rate is not None and one.buffer < 100,
        lambda one: one.cut is not None and one.cut.direction == "to_client",
        lambda one: one.cut is not None and one.cut.how == "end",
        lambda one: one.freeze is not None and one.freeze.seconds is not None,
        lambda one: one.freeze is not None and one.freeze.after is not None,
    ],
)
def test_drawn(condition: Callable[[Faults], bool]) -> None:
    assert is_drawn(sio.faults(), condition)


@given(faults=sio.faults(breaks=False))
def test_without_breaks(faults: Faults) -> None:
    assert faults.cut is None
    assert faults.freeze is None


@pytest.mark.slow
@pytest.mark.parametrize("protocol", [4, 5])
@given(
    transport=st.sampled_from(["polling", "polling-base64", "websocket", "upgraded"]),
    faults=sio.faults(breaks=False),
    seed=st.integers(0, 99),
)
def test_sessions_last_without_breaks(
    protocol: int, transport: str, faults: Faults, seed: int
) -> None:
    trio.run(talk, protocol, transport, faults, seed, clock=MockClock(autojump_threshold=0))


async def talk(protocol: int, transport: str, faults: Faults, seed: int) -> None:
    io = Server()
    io.on("echo", lambda socket, *args: args)
    async with (
        open_network(io, seed=seed) as network,
        network.connect(transport, protocol=protocol, faults=faults) as client,
    ):
        for content in ("a", "é" * 200, b"\x00" * 400):
            assert await client.call("echo", content) == [content]
            await trio.sleep(60)
        assert client.reason is None


@given(faults=sio.faults())
def test_what_faults_show_makes_them_again(faults: Faults) -> None:
    names = {"Faults": Faults, "Cut": Cut, "Freeze": Freeze}
    assert eval(repr(faults), names) == faults


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda one: True, Faults()),
        (lambda one: one.chunk is not None, Faults(chunk=1)),
        (lambda one: one.cut is not None, Faults(cut=Cut(0))),
        (lambda one: one.freeze is not None, Faults(freeze=Freeze(0))),
        (lambda one: one.delay[1] > 0, Faults(delay=(0.0, 0.01))),
    ],
)
def test_simplest(condition: Callable[[Faults], bool], expected: Faults) -> None:
    assert simplest(sio.faults(), condition) == expected
