"""The same seed and the same faults give the same run, to the last line of the transcript."""

import trio
import trio.testing
from hypothesis import HealthCheck, given, seed as seeded, settings, strategies as st

import trio_sio
from trio_sio.testing import Faults, Network, open_network

DELAYED = Faults(delay=(0.01, 0.3), chunk=40)


async def meet(network: Network, faults: Faults) -> None:
    """Have three clients speak at the same time, one of them during its upgrade."""

    async def visit(how: str) -> None:
        async with network.connect(how, faults=faults) as client, trio.open_nursery() as nursery:
            if how == "polling":
                nursery.start_soon(client.upgrade)
            for number in range(5):
                await client.emit("say", how, number)
            assert await client.call("add", 1, 2) == [3]
            await trio.sleep(30)

    async with trio.open_nursery() as nursery:
        for how in ("websocket", "polling", "polling-jsonp"):
            nursery.start_soon(visit, how)
            await trio.sleep(0.1)


def run(seed: int, faults: Faults) -> str:
    async def main() -> str:
        io = trio_sio.Server()

        @io.on("connection")
        def connection(socket: trio_sio.Socket) -> None:
            socket.on("say", lambda *args: io.emit("said", *args))
            socket.on("add", lambda one, other: one + other)

        async with open_network(io, seed=seed) as network:
            await meet(network, faults)
        return str(network.transcript)

    return trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0))


def test_another_seed_is_another_run() -> None:
    assert run(1, DELAYED) != run(2, DELAYED)


def transcripts(faults: Faults) -> list[str]:
    """The transcripts of three runs inside Hypothesis, which replays the order of Trio's tasks."""
    seen = list[str]()

    @seeded(1)
    @settings(max_examples=3, database=None, deadline=None, suppress_health_check=[*HealthCheck])
    @given(st.integers(0, 1000))
    def collect(seed: int) -> None:
        seen.append(run(seed, faults))

    collect()
    return seen


def test_hypothesis_replays_all() -> None:
    for faults in (Faults(), DELAYED):
        assert transcripts(faults) == transcripts(faults)


def test_one_client_after_the_other_needs_no_more_than_the_seed() -> None:
    async def main() -> list[str]:
        io = trio_sio.Server()
        io.on("connection", lambda socket: socket.on("add", lambda one, other: one + other))
        async with open_network(io, seed=5) as network:
            for how in ("websocket", "polling", "upgraded"):
                async with network.connect(how, faults=DELAYED) as client:
                    assert await client.call("add", 1, 2) == [3]
        return sorted(network.transcript.lines)  # at one moment any of them may come first

    clock = trio.testing.MockClock
    first, *others = [trio.run(main, clock=clock(autojump_threshold=0)) for _ in range(5)]
    assert others == [first] * 4
