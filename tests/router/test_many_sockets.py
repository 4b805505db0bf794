"""What is done with all sockets of a room at once, in rooms of both generations."""

import re
from collections.abc import Collection

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from tests.support.mixed import NEW, OLD, people
from trio_sio import Broadcast, LimitReached, MemoryAdapter, NoAnswer, Server, Socket
from trio_sio.abc import GatheredList, Recipient, SocketDetails, Target
from trio_sio.testing import connect

ROOMS = ["red", "green", "blue"]
rooms = st.sets(st.sampled_from(ROOMS))


async def test_they_are_the_sockets_themselves(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW, NEW) as (anna, bert, carl):
        found = await io.except_(carl.id).fetch_sockets()
        assert [*found] == [anna.socket, bert.socket]
        assert found.complete
        assert [*await anna.socket.broadcast.fetch_sockets()] == [bert.socket, carl.socket]
        for one in found:
            assert isinstance(one, Socket)
            assert one.rooms == {one.id, "all"}


async def test_what_they_are_told_holds_at_once_for_both_generations(
    autojump_clock: MockClock,
) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW, NEW) as (anna, bert, carl):
        await io.except_(carl.id).sockets_join("red", "green")
        assert [one.socket.rooms - {one.id} for one in (anna, bert, carl)] == [
            {"all", "red", "green"},
            {"all", "red", "green"},
            {"all"},
        ]
        await io.in_("red").sockets_leave("green", "never joined")
        assert await io.to("green").clients() == set()
        await io.in_("red").except_(anna.id).disconnect_sockets()
        assert await bert.websocket.receive() == "41"
        await io.emit("last")
        assert await anna.hear() == await carl.hear() == (None, ["last"])
        await io.disconnect_sockets(close=True)
        assert await anna.websocket.receive() == await carl.websocket.receive() == "41"
        await wait_all_tasks_blocked()
        assert (anna.socket.session.closed, bert.socket.session.closed) == (True, False)
        assert carl.socket.session.closed


@examples(60)
@given(
    st.lists(rooms, max_size=4),
    rooms,
    rooms,
    st.one_of(st.none(), st.integers(0, 3)),
)
def test_whom_a_target_names(
    members: list[set[str]], chosen: set[str], excepted: set[str], sender: int | None
) -> None:
    async def main() -> None:
        io = Server(raise_errors=True)
        protocols = [OLD if number % 2 else NEW for number in range(len(members))]
        async with people(io, *protocols) as crowd:
            for one, own in zip(crowd, members, strict=True):
                await one.socket.join(*own)
            target: Broadcast = io.to(*chosen).except_(*excepted)
            if sender is not None and sender < len(crowd):
                target = crowd[sender].socket.to(*chosen).except_(*excepted)
            expected = {
                one.id
                for number, (one, own) in enumerate(zip(crowd, members, strict=True))
                if (not chosen or own & chosen) and not own & excepted and number != sender
            }
            assert {one.id for one in await target.fetch_sockets()} == expected
            await target.sockets_join("told")
            assert await io.to("told").clients() == expected
            await target.sockets_leave("told")
            assert await io.to("told").clients() == set()
            await target.disconnect_sockets()
            await wait_all_tasks_blocked()
            assert await io.clients() == {one.id for one in crowd} - expected

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def test_one_with_too_many_rooms_keeps_nobody_out(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True, max_rooms=2)
    async with people(io, OLD, NEW) as (anna, bert):
        await anna.socket.join("own")
        with pytest.raises(LimitReached, match="max_rooms"):
            await io.sockets_join("red")
        assert await io.to("red").clients() == {bert.id}


async def test_who_leaves_meanwhile_is_no_problem(autojump_clock: MockClock) -> None:
    class Slow(MemoryAdapter):
        async def add_all(self, socket_id: str, rooms: Collection[str]) -> None:
            await trio.sleep(1)
            await super().add_all(socket_id, rooms)

        async def remove(self, socket_id: str, room: str) -> None:
            await trio.sleep(1)
            await super().remove(socket_id, room)

    io = Server(raise_errors=True, adapter=Slow)
    async with people(io, OLD, NEW) as (anna, bert), trio.open_nursery() as nursery:
        nursery.start_soon(io.sockets_join, "red")
        nursery.start_soon(io.sockets_leave, "all")
        await trio.sleep(0.5)
        await bert.leave()
        await trio.sleep(5)
        assert await io.to("red").clients() == {anna.id}
        assert await io.to("all").clients() == set()


async def test_a_dynamic_namespace_reaches_all_its_children(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    parent = io.of(re.compile(r"/room-\d"))
    async with connect(io, "/room-1") as anna, connect(io, "/room-2") as bert:
        assert {one.id for one in await parent.fetch_sockets()} == {anna.id, bert.id}
        await parent.sockets_join("red")
        assert await parent.to("red").clients() == {anna.id, bert.id}
        await parent.except_(anna.id).sockets_leave("red")
        assert await parent.to("red").clients() == {anna.id}
        await parent.to("red").disconnect_sockets()
        await wait_all_tasks_blocked()
        assert await parent.clients() == {bert.id}


async def test_one_child_that_fails_keeps_the_others_from_nothing(
    autojump_clock: MockClock,
) -> None:
    """What is said of the sockets of one namespace holds for those of all."""

    class Mute(MemoryAdapter):
        async def remove_sockets(self, target: Target, rooms: Collection[str]) -> None:
            await super().remove_sockets(target, rooms)
            name = self.namespace.name
            if name != "/room-3":
                raise NoAnswer("timeout", missing=["node-2", f"of {name}"])

    io = Server(raise_errors=True, max_rooms=1, adapter=Mute)
    parent = io.of(re.compile(r"/room-\d"))
    async with (
        connect(io, "/room-1") as anna,
        connect(io, "/room-2") as bert,
        connect(io, "/room-3") as carl,
    ):
        await io.of("/room-1").connected[anna.id].join("own")
        with pytest.raises(LimitReached, match="max_rooms"):
            await parent.sockets_join("red")
        assert await parent.to("red").clients() == {bert.id, carl.id}
        with pytest.raises(NoAnswer, match="in 2 namespaces") as caught:
            await parent.sockets_leave("red")
        assert caught.value.missing == ("node-2", "of /room-1", "of /room-2")
        assert await parent.to("red").clients() == set()
        with pytest.raises(NoAnswer, match=r"^timeout"):
            await io.of("/room-2").sockets_leave("red")


@pytest.mark.parametrize("verb", ["sockets_join", "sockets_leave"])
async def test_the_name_of_a_room_is_a_str(verb: str, autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, NEW) as (anna,):
        with pytest.raises(TypeError, match="a room name must be a str, not 1"):
            await getattr(io, verb)("red", 1)
        assert anna.socket.rooms == {anna.id, "all"}


async def test_an_adapter_that_cannot_says_so(autojump_clock: MockClock) -> None:
    class Old:
        def __init__(self, namespace: object) -> None:
            pass

        def close(self) -> None:
            pass

    io = Server(adapter=Old)  # type: ignore[arg-type]  # that is what is tested
    for call in (io.fetch_sockets, io.sockets_join, io.sockets_leave, io.disconnect_sockets):
        with pytest.raises(NotImplementedError, match=r"which .*Old has not"):
            await call()


async def test_what_other_servers_did_not_say_is_told(autojump_clock: MockClock) -> None:
    class Partial(MemoryAdapter):
        async def fetch_sockets(self, target: Target) -> GatheredList[Recipient | SocketDetails]:
            here = await super().fetch_sockets(target)
            return GatheredList(here, ["web-1", f"web-2 of {self.namespace.name}"])

    io = Server(adapter=Partial)
    parent = io.of(re.compile(r"/room-\d"))
    async with connect(io, "/room-1"), connect(io, "/room-2"):
        found = await parent.fetch_sockets()
        assert len(found) == 2
        assert found.missing == ("web-1", "web-2 of /room-1", "web-2 of /room-2")
