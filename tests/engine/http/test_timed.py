"""What a connection waits for can be interrupted, and ends when its time is over."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

from trio_sio.engine.http.timeouts import Phase, Timeouts
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.runtime.timers import Timers

SECONDS = {Phase.BODY: 10.0, Phase.ANSWER: 20.0}


class TooLongError(Exception):
    """What took too long may say so in its own way."""


@asynccontextmanager
async def timed(kind: str) -> AsyncIterator[tuple[Timeouts, ByteStream, trio.abc.Stream]]:
    """A connection over a socket, where reading is interrupted in another way, or in memory."""
    async with trio.open_nursery() as nursery:
        timers = Timers()
        nursery.start_soon(timers.run)
        if kind == "memory":
            ours, theirs = memory_stream_pair()
            pipe = ByteStream(theirs)
            yield Timeouts(pipe, timers, SECONDS), pipe, ours
        else:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            async with (
                listener,
                await trio.open_tcp_stream(*listener.socket.getsockname()) as client,
                await listener.accept() as stream,
            ):
                pipe = ByteStream(stream)
                yield Timeouts(pipe, timers, SECONDS), pipe, client
        nursery.cancel_scope.cancel()


both = pytest.mark.parametrize("kind", ["memory", "tcp"])


@both
async def test_an_interruption(kind: str) -> None:
    async with timed(kind) as (waiting, pipe, client):
        async with trio.open_nursery() as nursery:

            async def read() -> None:
                with pytest.raises(trio.ClosedResourceError):
                    await waiting.run(pipe.read)

            nursery.start_soon(read)
            await wait_all_tasks_blocked()
            waiting.interrupt()
        await client.send_all(b"x")
        assert await waiting.run(pipe.read) == b"x"  # it has to do with that one only


@both
async def test_its_time_is_over(kind: str, autojump_clock: MockClock) -> None:
    async with timed(kind) as (waiting, pipe, client):
        with pytest.raises(TooLongError, match=r"^10\.0$"):
            await waiting.within(Phase.BODY, pipe.read, TooLongError)
        assert waiting.clock.expired is Phase.BODY
        assert trio.current_time() == 10
        await client.send_all(b"x")
        assert await waiting.run(pipe.read) == b"x"


@both
async def test_it_is_over_in_time(kind: str, autojump_clock: MockClock) -> None:
    async with timed(kind) as (waiting, pipe, client):
        await client.send_all(b"x")
        assert await waiting.within(Phase.BODY, pipe.read, TooLongError) == b"x"
        await trio.sleep(100)
        assert waiting.clock.expired is None


@both
async def test_another_interruption_is_not_called_too_long(
    kind: str, autojump_clock: MockClock
) -> None:
    async with timed(kind) as (waiting, pipe, _), trio.open_nursery() as nursery:

        async def read() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await waiting.within(Phase.BODY, pipe.read, TooLongError)

        nursery.start_soon(read)
        await wait_all_tasks_blocked()
        waiting.interrupt()


async def test_no_request_any_more(autojump_clock: MockClock) -> None:
    async with timed("memory") as (waiting, pipe, _):
        waiting.clock.begin(Phase.BODY)
        waiting.stop()
        with trio.move_on_after(100):
            await waiting.run(pipe.read)
        assert waiting.clock.expired is None
