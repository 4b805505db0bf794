"""The connections of one client break, freeze and count together."""

import pytest
import trio
import trio.testing

from trio_sio.testing import Cut, Faults, Freeze
from trio_sio.testing.network.route import Route
from trio_sio.testing.network.stream import FaultyStream
from trio_sio.testing.network.transcript import Transcript


def route(faults: Faults, seed: str = "1") -> Route:
    return Route(faults, seed, "client 1", Transcript())


async def rest(stream: FaultyStream) -> bytes:
    data = b""
    while piece := await stream.receive_some():
        data += piece
    return data


async def test_a_cut_comes_behind_so_many_bytes_of_all_connections(
    autojump_clock: trio.abc.Clock,
) -> None:
    way = route(Faults(cut=Cut(5, "to_server", "end"), delay=(1, 1)))
    (one, its_server), (other, other_server) = way.open(), way.open()
    await other_server.send_all(b"counts in the other direction only")
    await one.send_all(b"abc")
    await other.send_all(b"defg")
    assert await rest(other_server) == b"de"
    with pytest.raises(trio.BrokenResourceError):
        await other.send_all(b"x")
    with pytest.raises(trio.BrokenResourceError):
        await other_server.send_all(b"x")
    assert await rest(other) == b"counts in the other direction only"
    await one.send_all(b"this one goes on")
    assert await its_server.receive_some() == b"abc"
    assert await its_server.receive_some() == b"this one goes on"


async def test_a_reset(autojump_clock: trio.abc.Clock) -> None:
    client, server = route(Faults(cut=Cut(2, "to_client"))).open()
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def wait() -> None:
            with pytest.raises(trio.BrokenResourceError):
                await server.receive_some()

        await trio.testing.wait_all_tasks_blocked()
        await server.send_all(b"abc")
    assert await client.receive_some() == b"ab"
    with pytest.raises(trio.BrokenResourceError):
        await client.receive_some()


@pytest.mark.parametrize("freeze", [Freeze(3), Freeze(seconds=10)])
async def test_frozen_connections_say_nothing(
    autojump_clock: trio.abc.Clock, freeze: Freeze
) -> None:
    way = route(Faults(freeze=freeze, buffer=100))
    (one, its_server), (other, other_server) = way.open(), way.open()
    await one.send_all(b"abc")
    await trio.sleep(10)
    await one.send_all(b"def")
    await other.aclose()
    assert way.is_frozen
    assert await its_server.receive_some() == b"abc"
    with trio.move_on_after(1000) as scope:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(its_server.receive_some)
            nursery.start_soon(other_server.receive_some)
            nursery.start_soon(one.send_all, bytes(1000))
    assert scope.cancelled_caught
    assert trio.current_time() == 1010
    way.thaw()
    assert await its_server.receive_some() == b"def"
    assert await other_server.receive_some() == b""


async def test_bytes_before_a_freeze_pass(autojump_clock: trio.abc.Clock) -> None:
    way = route(Faults(freeze=Freeze(2)))
    client, server = way.open()
    await client.send_all(b"abcd")
    assert await server.receive_some() == b"ab"
    with trio.move_on_after(5):
        await server.receive_some()
    way.thaw()
    assert await server.receive_some() == b"cd"


async def test_a_cut_ends_a_freeze(autojump_clock: trio.abc.Clock) -> None:
    way = route(Faults())
    client, server = way.open()
    way.freeze()
    await client.send_all(b"lost")
    way.cut("end")
    assert await server.receive_some() == b""
    assert await client.receive_some() == b""


async def test_the_same_seed_gives_the_same_times(autojump_clock: trio.abc.Clock) -> None:
    async def times(seed: str) -> list[str]:
        transcript = Transcript()
        way = Route(Faults(delay=(0, 1), chunk=5), seed, "client 1", transcript)
        for client, server in (way.open(), way.open()):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(rest, server)
                await client.send_all(bytes(1000))
                await client.aclose()
        return [line.partition(" ")[2] for line in transcript.lines]

    first = await times("1")
    again, other = await times("1"), await times("2")
    assert [line.split("client")[1] for line in first] == [
        line.split("client")[1] for line in again
    ]
    assert first != other
