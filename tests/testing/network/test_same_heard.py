"""What TCP does to bytes changes nothing of what clients hear, as long as it does not break."""

from collections.abc import Sequence
from contextlib import suppress

import trio
import trio.testing
from hypothesis import given, strategies as st

import trio_sio
from tests.support.examples import examples
from trio_sio import Disconnected
from trio_sio.testing import Faults, NetworkClient, open_network
from trio_sio.testing.clients.transports import TRANSPORTS

Act = tuple[str, object]

# A PING has to be answered within 5 s, and a GET that is held comes back with it.
FAULTS = st.builds(
    Faults,
    delay=st.tuples(st.floats(0, 0.1), st.floats(0.1, 0.5)),
    chunk=st.sampled_from([None, 1, 7, 100]),
    rate=st.none() | st.floats(5_000, 100_000),
    buffer=st.integers(5_000, 70_000),
)
ACTS = st.lists(
    st.tuples(st.just("echo"), st.text(max_size=3) | st.binary(max_size=300))
    | st.tuples(st.just("ask"), st.integers(0, 9))
    | st.tuples(st.just("tell"), st.text(max_size=3))
    | st.tuples(st.just("burst"), st.integers(1, 9))
    | st.tuples(st.just("upgrade"), st.none())
    | st.tuples(st.just("wait"), st.floats(0, 30)),
    max_size=6,
)


def application() -> trio_sio.Server:
    io = trio_sio.Server()

    @io.of("/chat").on("connection")
    async def connection(socket: trio_sio.Socket) -> None:
        socket.on("echo", lambda *args: socket.emit("echoed", *args))
        socket.on("ask", lambda *args: args)
        socket.on("tell", lambda *args: io.of("/chat").emit("told", *args))

        async def burst(count: int) -> None:
            for number in range(count):
                await socket.emit("number", number, b"\0" * number)

        socket.on("burst", burst)

    return io


async def play(
    transports: Sequence[str], acts: Sequence[Act], faults: Faults, seed: int, protocol: int
) -> list[list[object]]:
    """Let the first client act; return what each of them heard, its own answers among it."""
    heard: list[list[object]] = [[] for _ in transports]

    async def listen(client: NetworkClient, events: list[object], told: trio.Event) -> None:
        while (event := await client.receive()) != ["told", "the end"]:
            events.append(event)
        told.set()

    async with open_network(application(), seed=seed) as network, trio.open_nursery() as nursery:
        ends = [trio.Event() for _ in transports]

        async def be_there(number: int, *, task_status: trio.TaskStatus[NetworkClient]) -> None:
            # From the second one on they are of the other revision.
            speaks = protocol if number == 0 else 9 - protocol
            how = transports[number] if speaks == 4 else transports[number].removesuffix("-jsonp")
            async with network.connect(how, "/chat", faults=faults, protocol=speaks) as client:
                task_status.started(client)
                await listen(client, heard[number], ends[number])
                for end in ends:
                    await end.wait()

        clients = [await nursery.start(be_there, number) for number in range(len(transports))]
        answers = await act(clients[0], nursery, acts)
    return [answers, *heard]


async def act(client: NetworkClient, nursery: trio.Nursery, acts: Sequence[Act]) -> list[object]:
    answers: list[object] = []
    for verb, argument in acts:
        if verb == "ask":
            answers += await client.call("ask", argument)
        elif verb == "wait":
            assert isinstance(argument, float)
            await trio.sleep(argument)
        elif verb != "upgrade":
            await client.emit(verb, argument)
        else:
            nursery.start_soon(upgrade, client)
    await client.emit("tell", "the end")
    return answers


async def upgrade(client: NetworkClient) -> None:
    with suppress(RuntimeError, Disconnected):  # it has upgraded by now, or left
        await client.upgrade()


@examples(20)
@given(
    transports=st.lists(st.sampled_from(TRANSPORTS), min_size=1, max_size=3),
    acts=ACTS,
    faults=FAULTS,
    seed=st.integers(0, 1000),
    protocol=st.sampled_from([4, 5]),
)
def test_faults_that_break_nothing(
    transports: list[str], acts: list[Act], faults: Faults, seed: int, protocol: int
) -> None:
    def run(faults: Faults) -> list[list[object]]:
        clock = trio.testing.MockClock(autojump_threshold=0)
        return trio.run(play, transports, acts, faults, seed, protocol, clock=clock)

    assert run(faults) == run(Faults())
