"""Generated conversations over a network with faults: everybody hears what the model says."""

import importlib.util
import sys

import pytest
import trio
import trio.testing
from hypothesis import given, strategies as st

import trio_sio
from tests.support.conformance import FIXTURES
from tests.support.examples import examples
from trio_sio.conformance.conversations import play
from trio_sio.testing import Faults, open_network
from trio_sio.testing.conversations import Conversation
from trio_sio.testing.network.network import WireAccess
from trio_sio.testing.strategies import conversations

FAULTS = st.builds(
    Faults,
    delay=st.tuples(st.floats(0, 0.1), st.floats(0.1, 0.5)),
    chunk=st.sampled_from([None, 1, 7, 100]),
    rate=st.none() | st.floats(5_000, 100_000),
    buffer=st.integers(5_000, 70_000),
)


def application() -> trio_sio.Server:
    spec = importlib.util.spec_from_file_location("fixture", FIXTURES / "fixture.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["fixture.py", "0", "25"])  # its pings every 25 s
        spec.loader.exec_module(module)
    io = module.io
    assert isinstance(io, trio_sio.Server)
    io.engine.set_options(ping_timeout=20)  # a PONG may wait behind much else
    return io


@examples(10)
@given(
    played=st.sampled_from([(3,), (4,), (3, 4), (4, 3)]).flatmap(
        lambda spoken: st.tuples(st.just(spoken), conversations(protocol=max(spoken) + 1))
    ),
    faults=FAULTS,
    seed=st.integers(0, 1000),
)
def test_everybody_hears_what_they_must(
    played: tuple[tuple[int, ...], Conversation], faults: Faults, seed: int
) -> None:
    """Clients of one revision of Engine.IO, or of both in turn."""
    spoken, conversation = played

    async def main() -> None:
        async with (
            open_network(application(), seed=seed) as network,
            network.open_wire(faults=faults) as wire,
        ):
            first, *others = [WireAccess(wire, {}, eio=eio) for eio in spoken]
            await play(first, conversation, *others)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))
