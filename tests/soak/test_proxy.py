"""The proxy carries every byte in its order, and cuts where it is told."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.soak.faults import Direction, Ending, Faults, Kind, Pieces, Plan, Purpose
from tests.soak.proxy import Proxy, bad_network

HEAD = b"GET /socket.io/?client=mortal-7&transport=websocket HTTP/1.1\r\n"


class Planned(Faults):
    """Draws one plan only."""

    def __init__(self, plan: Plan) -> None:
        super().__init__(1)
        self._plan = plan

    def plan(self, purpose: Purpose) -> Plan:
        return self._plan


@asynccontextmanager
async def line(
    plan: Plan, head: bytes = HEAD
) -> AsyncIterator[tuple[Proxy, trio.SocketStream, trio.SocketStream]]:
    """The proxy and the ends of a connection through it, after `head`."""
    send, receive = trio.open_memory_channel[trio.SocketStream](1)
    done = trio.Event()

    async def accept(stream: trio.SocketStream) -> None:
        await send.send(stream)
        await done.wait()

    with trio.fail_after(60):
        async with trio.open_nursery() as nursery:
            (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
            nursery.start_soon(trio.serve_listeners, accept, [listener])
            port = listener.socket.getsockname()[1]
            async with bad_network(f"http://127.0.0.1:{port}", Planned(plan)) as (proxy, url):
                near = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
                async with near:
                    await near.send_all(head)
                    yield proxy, near, await receive.receive()
            done.set()
            nursery.cancel_scope.cancel()


async def read(stream: trio.SocketStream, size: int) -> bytes:
    data = bytearray()
    while len(data) < size:
        more = await stream.receive_some(size - len(data))
        assert more, f"ended after {len(data)} bytes"
        data += more
    return bytes(data)


async def drain(stream: trio.SocketStream) -> None:
    async for _ in stream:
        pass


ROUGH = Direction(limit=3000, delay=0.002, stall_at=900, stall=0.05)


@pytest.mark.parametrize("pieces", Pieces)
async def test_all_bytes_arrive_in_their_order(pieces: Pieces) -> None:
    direction = Direction(pieces, ROUGH.limit, ROUGH.delay, ROUGH.stall_at, ROUGH.stall)
    data = bytes(number % 251 for number in range(200_000))
    async with line(Plan(direction, direction)) as (proxy, near, far):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(near.send_all, data)
            nursery.start_soon(far.send_all, data)
            assert await read(far, len(HEAD) + len(data)) == HEAD + data
            assert await read(near, len(data)) == data
        assert proxy.stalls == 2
        assert (proxy.single > 5500) == (pieces is Pieces.SINGLE)
        await near.send_eof()
        assert await far.receive_some() == b""
        await far.send_all(b"half closed")
        assert await read(near, 11) == b"half closed"
        assert not proxy.cuts


async def test_a_direction_that_stalls_does_not_stop_the_other() -> None:
    stalled = Direction(stall_at=len(HEAD), stall=3600.0)
    async with line(Plan(up=stalled)) as (proxy, near, far):
        assert await read(far, len(HEAD)) == HEAD
        await near.send_all(b"an hour late")
        await far.send_all(b"at once")
        assert await read(near, 7) == b"at once"
        assert proxy.stalls == 1
        await trio.testing.wait_all_tasks_blocked(0.02)
        with pytest.raises(BlockingIOError):
            far.socket._sock.recv(1)  # type: ignore[attr-defined]


@pytest.mark.parametrize("upwards", [True, False], ids=["up", "down"])
async def test_a_reset_is_seen_by_both_ends(upwards: bool) -> None:
    cut = Direction(cut_at=len(HEAD) + 10 if upwards else 10)
    plan = Plan(up=cut, ending=Ending.RESET) if upwards else Plan(down=cut, ending=Ending.RESET)
    async with line(plan) as (proxy, near, far):
        assert await read(far, len(HEAD)) == HEAD
        await (near if upwards else far).send_all(bytes(100))
        for stream in (near, far):
            with pytest.raises(trio.BrokenResourceError):
                await drain(stream)
        assert proxy.cuts == {(Kind.WEBSOCKET, Ending.RESET): 1}
        assert proxy.cuts_of == {"mortal-7": 1}


async def test_a_clean_close_brings_what_went_before_and_the_end() -> None:
    plan = Plan(up=Direction(cut_at=len(HEAD) + 10), ending=Ending.CLOSE)
    async with line(plan) as (proxy, near, far):
        await near.send_all(bytes(10) + b"never seen")
        assert await read(far, len(HEAD) + 10) == HEAD + bytes(10)
        assert await far.receive_some() == b""
        assert await near.receive_some() == b""
        assert proxy.cuts == {(Kind.WEBSOCKET, Ending.CLOSE): 1}


async def test_a_calm_network_cuts_nothing() -> None:
    async with line(Plan(up=Direction(Pieces.SINGLE, 10_000, cut_at=200))) as (proxy, near, far):
        await read(far, len(HEAD))
        proxy.calm()
        await near.send_all(bytes(1000))
        assert await read(far, 1000) == bytes(1000)
        assert not proxy.cuts


@pytest.mark.parametrize("mortal", [True, False])
async def test_mortals_can_be_cut_all_at_once(mortal: bool) -> None:
    head = HEAD if mortal else HEAD.replace(b"mortal", b"steady")
    async with line(Plan(), head) as (proxy, near, far):
        await read(far, len(head))
        proxy.cut_mortals()
        if mortal:
            with pytest.raises(trio.BrokenResourceError):
                await near.receive_some()
            assert proxy.cuts_of == {"mortal-7": 1}
        else:
            await far.send_all(b"still here")
            assert await read(near, 10) == b"still here"
            assert not proxy.cuts


async def test_pieces_do_not_hold_a_connection_up_for_long() -> None:
    """A client whose bytes took longer than its heartbeat would rightly give up."""
    data = bytes(2_000_000)
    async with line(Plan(down=Direction(Pieces.SINGLE, limit=len(data)))) as (proxy, near, far):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(far.send_all, data)
            assert await read(near, len(data)) == data
        assert 0 < proxy.single < len(data)
