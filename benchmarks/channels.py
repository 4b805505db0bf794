"""What passing a value from task to task costs: `trio_sio.channel.Channel` beside Trio's own.

    python3 -m benchmarks.channels

Prints µs for each value, the best of some rounds that the two take in turns, and the bytes of a
channel in which nothing waits.
"""

import time
import tracemalloc
from collections.abc import Awaitable, Callable
from typing import NamedTuple

import trio

from trio_sio.channel import Channel

VALUES = 10_000
BURST = 64
ROUNDS = 15
CHANNELS = 1000


class Ends(NamedTuple):
    """What a channel is measured by."""

    send: Callable[[int], Awaitable[None]]
    send_nowait: Callable[[int], None]
    receive: Callable[[], Awaitable[int]]
    channels: object


def open_ours(size: int) -> Ends:
    """Return the ends of one of our channels."""
    channel = Channel[int](size)
    return Ends(channel.send, channel.send_nowait, channel.receive, channel)


def open_trios(size: int) -> Ends:
    """Return the ends of one of Trio's."""
    sending, receiving = trio.open_memory_channel[int](size)
    return Ends(sending.send, sending.send_nowait, receiving.receive, (sending, receiving))


Open = Callable[[int], Ends]


async def receiver_waits(ends: Ends) -> None:
    """Each value finds the receiver waiting: it is woken, receives, and waits again."""

    async def receive() -> None:
        for _ in range(VALUES):
            await ends.receive()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(receive)
        for number in range(VALUES):
            await trio.lowlevel.checkpoint()
            ends.send_nowait(number)


async def values_wait(ends: Ends) -> None:
    """Values are sent in bursts, and wait for the receiver."""
    for first in range(0, VALUES, BURST):
        for number in range(first, min(first + BURST, VALUES)):
            ends.send_nowait(number)
        for _ in range(first, min(first + BURST, VALUES)):
            await ends.receive()


async def no_room(ends: Ends) -> None:
    """The buffer holds one value, so that each end keeps waiting for the other."""

    async def send() -> None:
        for number in range(VALUES):
            await ends.send(number)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(send)
        for _ in range(VALUES):
            await ends.receive()


async def checkpoints(_: Ends) -> None:
    """Nothing but what `receiver_waits` does besides."""

    async def wait() -> None:
        for _ in range(VALUES):
            await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait)
        await wait()


LOADS: list[tuple[str, int, Callable[[Ends], Awaitable[None]]]] = [
    ("the receiver waits", BURST, receiver_waits),
    ("the value waits", BURST, values_wait),
    ("no room", 1, no_room),
    ("(two checkpoints)", 1, checkpoints),
]


async def seconds(open_channel: Open, size: int, load: Callable[[Ends], Awaitable[None]]) -> float:
    """Return how long a load takes, in CPU time."""
    ends = open_channel(size)
    begun = time.process_time()
    await load(ends)
    return time.process_time() - begun


def bytes_of(open_channel: Open) -> float:
    """Return the memory of a channel in which nothing waits."""
    channels: list[object] = [None] * CHANNELS
    tracemalloc.start()
    for index in range(CHANNELS):
        channels[index] = open_channel(BURST).channels
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / CHANNELS


async def main() -> None:
    """Measure, and print."""
    print(f"| µs for each value, best of {ROUNDS} rounds | ours | Trio's |")
    print("| --- | ---: | ---: |")
    for name, size, load in LOADS:
        best = [float("inf"), float("inf")]
        for _ in range(ROUNDS):
            for index, open_channel in enumerate((open_ours, open_trios)):
                best[index] = min(best[index], await seconds(open_channel, size, load))
        ours, trios = (value / VALUES * 1e6 for value in best)
        print(f"| {name} | {ours:.2f} | {trios:.2f} |")
    print(f"| bytes | {bytes_of(open_ours):.0f} | {bytes_of(open_trios):.0f} |")


if __name__ == "__main__":
    trio.run(main)
