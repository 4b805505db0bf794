"""How connections are spread over workers that share a socket."""

import resource
import socket
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing

import pytest
import trio
import trio.testing

from trio_sio.workers.balance import COUNTING_INTERVAL, BalancedListener, Loads, Share
from trio_sio.workers.sockets import open_sockets


@pytest.fixture
def shared() -> Iterator[socket.socket]:
    (one,) = open_sockets(0, "127.0.0.1")
    with closing(one):
        yield one


@pytest.mark.parametrize(
    ("counts", "ahead"),
    [
        ([5, 0], True),
        ([4, 0], False),
        ([0, 5], False),
        ([106, 100], False),
        ([107, 100], True),
        ([1000, 1000, 900], True),
        ([900, 1000, 1000], False),
    ],
)
def test_who_is_ahead(counts: list[int], ahead: bool) -> None:
    loads = Loads(len(counts))
    for number, count in enumerate(counts, start=1):
        loads.set(number, count)
    assert loads.is_ahead(1) is ahead


def test_those_that_accept_nothing_do_not_count() -> None:
    loads = Loads(3)
    loads.set(1, 50)
    assert not loads.is_ahead(1)  # there is nobody else yet
    loads.set(2, 0)
    assert loads.is_ahead(1)
    loads.leave(2)
    assert not loads.is_ahead(1)


async def connect(port: int, count: int) -> list[trio.SocketStream]:
    return [await trio.open_tcp_stream("127.0.0.1", port) for _ in range(count)]


async def accept(listener: BalancedListener, number: int, into: list[int]) -> None:
    """Be a worker, which has a descriptor of its own."""
    async with listener, AsyncExitStack() as stack:
        while True:
            stream = await stack.enter_async_context(await listener.accept())
            into.append(number)
            await stream.send_all(bytes([number]))


async def wait_answered(streams: list[trio.SocketStream]) -> list[int]:
    return [(await stream.receive_some(1))[0] for stream in streams]


async def test_each_worker_gets_its_share(shared: socket.socket) -> None:
    loads, port, taken = Loads(3), shared.getsockname()[1], list[int]()
    async with trio.open_nursery() as nursery:
        for number in (1, 2, 3):
            listener = BalancedListener(shared.dup(), Share(loads, number))
            nursery.start_soon(accept, listener, number, taken)
        streams = await connect(port, 90)
        await wait_answered(streams)
        nursery.cancel_scope.cancel()
    assert all(26 <= count <= 34 for count in Counter(taken).values()), Counter(taken)
    for stream in streams:
        await stream.aclose()


async def test_a_worker_that_is_new_catches_up(shared: socket.socket) -> None:
    loads, port, taken = Loads(2), shared.getsockname()[1], list[int]()
    async with trio.open_nursery() as nursery:
        first = BalancedListener(shared.dup(), Share(loads, 1))
        nursery.start_soon(accept, first, 1, taken)
        streams = await connect(port, 30)
        assert await wait_answered(streams) == [1] * 30
        nursery.start_soon(accept, BalancedListener(shared.dup(), Share(loads, 2)), 2, taken)
        later = await connect(port, 20)
        answers = await wait_answered(later)
        assert answers.count(2) > 10  # most, but what the first took before the second was ready
        nursery.cancel_scope.cancel()
    for stream in streams + later:
        await stream.aclose()


async def test_a_connection_counts_until_it_is_closed(
    shared: socket.socket, autojump_clock: trio.testing.MockClock
) -> None:
    loads = Loads(2)
    loads.set(2, 0)
    share = Share(loads, 1)
    ones = [trio.socket.socket() for _ in range(5)]
    for one in ones:
        share.add(one)
    assert share.is_ahead
    ones[0].close()
    await trio.sleep(COUNTING_INTERVAL)
    assert not share.is_ahead
    for one in ones:
        one.close()


async def test_a_worker_that_is_behind_takes_what_another_does_not(shared: socket.socket) -> None:
    """A worker that is ahead waits, but not for long: the other one may be busy."""
    loads = Loads(2)
    loads.set(2, 0)  # and it never accepts
    share = Share(loads, 1)
    taken: list[int] = []
    async with trio.open_nursery() as nursery:
        nursery.start_soon(accept, BalancedListener(shared, share), 1, taken)
        streams = await connect(shared.getsockname()[1], 10)
        assert await wait_answered(streams) == [1] * 10
        nursery.cancel_scope.cancel()
    for stream in streams:
        await stream.aclose()


async def test_a_closed_listener(shared: socket.socket) -> None:
    loads = Loads(1)
    listener = BalancedListener(shared, Share(loads, 1))
    async with trio.open_nursery() as nursery:

        async def wait() -> None:
            with pytest.raises(trio.ClosedResourceError):
                await listener.accept()

        nursery.start_soon(wait)
        await trio.testing.wait_all_tasks_blocked()
        await listener.aclose()
    with pytest.raises(trio.ClosedResourceError):
        await listener.accept()


async def test_an_error_of_accept_comes_out(shared: socket.socket) -> None:
    """The engine waits and tries again when there are no descriptors."""
    listener = BalancedListener(shared, Share(Loads(1), 1))
    stream = await trio.open_tcp_stream("127.0.0.1", shared.getsockname()[1])
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            await listener.accept()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    await (await listener.accept()).aclose()
    await stream.aclose()
