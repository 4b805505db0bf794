"""Many sockets at once in clusters in memory: who answers, who is fetched, who does what."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from tests.support.foreign_node import ForeignNode, foreign, settle
from trio_sio import (
    Disconnected,
    LimitReached,
    LocalProtocolError,
    MissingAnswers,
    Namespace,
    NoAnswer,
    RemoteSocket,
    Server,
    Socket,
)
from trio_sio.adapters.cluster.many.asking import NAMELESS
from trio_sio.adapters.cluster.told import MAX_STATEMENT
from trio_sio.testing import MemoryClient, connect
from trio_sio.testing.cluster import MemoryCluster


@asynccontextmanager
async def crowds(
    cluster: MemoryCluster, *sizes: int, **options: float
) -> AsyncIterator[tuple[list[Server], list[list[MemoryClient]]]]:
    """Servers of a cluster, each with so many clients."""
    async with AsyncExitStack() as stack:
        ios = [Server(adapter=cluster.join(**options)) for _ in sizes]  # type: ignore[arg-type]
        people = []
        for io, size in zip(ios, sizes, strict=True):
            await stack.enter_async_context(io)
            people.append([await stack.enter_async_context(connect(io)) for _ in range(size)])
        await wait_all_tasks_blocked()
        yield ios, people


async def answer(client: MemoryClient, *args: object) -> None:
    await client.answer(await client.receive_packet(), *args)


# -- calls ---------------------------------------------------------------------------------------

DEEDS = ["answer", "leave", "silent", "late"]


@examples(60)
@given(
    st.lists(st.lists(st.sampled_from(DEEDS), max_size=3), min_size=1, max_size=3),
    st.sampled_from([0, 0.1]),
    st.booleans(),
)
def test_each_of_all_servers_answers_or_leaves_or_is_missing(
    plan: list[list[str]], delay: float, comes_one_by_one: bool
) -> None:
    async def main() -> None:
        sizes = [len(deeds) for deeds in plan]
        async with crowds(MemoryCluster(), *sizes, delay=delay) as (ios, people):
            everybody = [client for some in people for client in some]
            deeds = [deed for some in plan for deed in some]
            await play(ios, everybody, deeds, comes_one_by_one)

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def play(
    ios: Sequence[Server],
    everybody: Sequence[MemoryClient],
    deeds: Sequence[str],
    comes_one_by_one: bool,
) -> None:
    async def act(client: MemoryClient, deed: str) -> None:
        packet = await client.receive_packet()
        assert packet.data == ["how?", b"\x01"]
        await trio.sleep(20 if deed == "late" else 1)
        if deed in ("answer", "late"):
            await client.answer(packet, client.id, b"\x02")
        elif deed == "leave":
            await client.leave()

    got: list[object] = []
    missing: tuple[str, ...] = ()
    async with trio.open_nursery() as nursery:
        for client, deed in zip(everybody, deeds, strict=True):
            nursery.start_soon(act, client, deed)
        try:
            if comes_one_by_one:
                async with ios[0].answers("how?", b"\x01", timeout=5) as answers:
                    async for one in answers:
                        got.append(one)  # noqa: PERF401 - it may raise in between
            else:
                got += await ios[0].call("how?", b"\x01", timeout=5)
        except MissingAnswers as error:
            got, missing = error.answers, error.missing
        await trio.sleep(30)
    pairs = [*zip(everybody, deeds, strict=True)]
    assert sorted(got, key=repr) == sorted(
        [(client.id, b"\x02") for client, deed in pairs if deed == "answer"], key=repr
    )
    assert sorted(missing) == sorted(
        client.id for client, deed in pairs if deed in ("silent", "late")
    )
    for io in ios:
        assert not any(socket.sender.acks for socket in io.sockets.connected.values())
        member = io.sockets.adapter._member  # type: ignore[attr-defined]  # whose tasks have ended
        assert member._running == 0


async def test_one_server_is_asked_alone(autojump_clock: MockClock) -> None:
    async with crowds(MemoryCluster(), 1, 1) as (ios, ((anna,), (bert,))):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, anna, "anna")
            assert await ios[0].local.call("how?") == ["anna"]
        await ios[0].emit("last")
        assert await bert.receive() == ["last"]


async def test_rooms_and_exceptions_hold_on_all_servers(autojump_clock: MockClock) -> None:
    async with crowds(MemoryCluster(), 2, 2) as (ios, ((anna, _), (bert, carl))):
        for io, client in ((ios[0], anna), (ios[1], bert), (ios[1], carl)):
            await io.sockets.connected[client.id].join("red")
        async with trio.open_nursery() as nursery:
            for client in (anna, bert):
                nursery.start_soon(answer, client, client.id)
            found = await ios[0].to("red").except_(carl.id).call("how?")
        assert sorted(found) == sorted([anna.id, bert.id])


async def test_a_server_that_says_nothing_is_missing(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    async with crowds(cluster, 1, 1, delay=0.1) as (ios, ((anna,), (bert,))):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, anna, "anna")
            nursery.start_soon(partial(_expect_missing, ios[0], ["anna"], ("node-2",)))
            await bert.receive_packet()  # what its server says is on its way
            cluster.nodes[1].cut()


async def _expect_missing(
    io: Server | Namespace, answers: list[object], missing: tuple[str, ...]
) -> None:
    with pytest.raises(MissingAnswers) as caught:
        await io.call("how?", timeout=5)
    assert (caught.value.answers, caught.value.missing) == (answers, missing)


async def test_a_server_that_is_cut_off_asks_its_own(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    async with crowds(cluster, 1, 1) as (ios, ((anna,), _)), trio.open_nursery() as nursery:
        cluster.nodes[0].cut()
        nursery.start_soon(answer, anna, "anna")
        unreachable = "the other servers, which cannot be reached"
        await _expect_missing(ios[0], ["anna"], (unreachable,))
        found = await ios[0].fetch_sockets()
        assert ([one.id for one in found], found.missing) == ([anna.id], (unreachable,))
        with pytest.raises(NoAnswer, match="cannot be reached"):
            await ios[0].sockets_join("red")
        assert ios[0].sockets.connected[anna.id].rooms == {anna.id, "red"}


async def test_who_owes_too_much_elsewhere_is_missing_at_once(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    one, two = (Server(adapter=cluster.join(), max_pending_acks=1) for _ in range(2))
    async with one, two, connect(two) as bert:
        await two.sockets.connected[bert.id].emit("before", ack=repr)
        begun = trio.current_time()
        await _expect_missing(one, [], (bert.id,))
        assert trio.current_time() == begun


async def test_what_cannot_be_sent_is_asked_of_nobody(autojump_clock: MockClock) -> None:
    async with crowds(MemoryCluster(), 1, 1) as (ios, ((anna,), (bert,))):
        with pytest.raises(LocalProtocolError):
            await ios[0].call("how?", object())
        await ios[0].emit("last")
        assert await anna.receive() == await bert.receive() == ["last"]
        assert not ios[0].sockets.connected[anna.id].sender.acks


async def test_a_call_and_what_is_emitted_afterwards_arrive_in_order(
    autojump_clock: MockClock,
) -> None:
    async with crowds(MemoryCluster(), 0, 1) as (ios, (_, (bert,))):
        for number in range(5):
            with trio.move_on_after(0.1):
                await ios[0].call("call", number)
            await ios[0].emit("event", number)
        for number in range(5):
            assert await bert.receive() == ["call", number]
            assert await bert.receive() == ["event", number]


async def test_too_many_calls_under_way_are_refused_and_leave_nothing(
    autojump_clock: MockClock,
) -> None:
    cluster = MemoryCluster()
    async with crowds(cluster, 0, 1) as (ios, (_, (bert,))), trio.open_nursery() as nursery:
        cluster.nodes[1].member.max_answers = 1
        nursery.start_soon(_expect_missing, ios[0], [], (bert.id,))
        await trio.sleep(1)
        await _expect_missing(ios[0], [], ("node-2",))
        assert not ios[1].sockets.connected[bert.id].sender.acks
        assert cluster.nodes[1].member.counters.refused == 1


async def test_a_namespace_is_dropped_when_its_call_has_ended(autojump_clock: MockClock) -> None:
    """Nobody is here any more, but somebody on the other server answers."""
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(2)]
    parents = [io.of(lambda name, auth: True) for io in ios]
    async with ios[0], ios[1], connect(ios[1], "/x") as bert:
        answers: list[object] = []

        async def ask() -> None:
            answers.extend(await child.call("how?"))

        async with connect(ios[0], "/x") as anna, trio.open_nursery() as nursery:
            child = parents[0].children["/x"]
            nursery.start_soon(ask)
            await wait_all_tasks_blocked()
            await anna.leave()
            await wait_all_tasks_blocked()
            assert parents[0].children == {"/x": child}
            await answer(bert, "fine")
        assert answers == ["fine"]
        assert parents[0].children == {}
        with pytest.raises(NoAnswer, match="dropped"):
            await child.call("how?")
        with pytest.raises(NoAnswer, match="dropped"):
            await child.fetch_sockets()


async def test_an_adapter_that_is_closed_ends_the_call(autojump_clock: MockClock) -> None:
    async with crowds(MemoryCluster(), 0, 1) as (ios, (_, (bert,))), trio.open_nursery() as nursery:
        nursery.start_soon(partial(_expect_missing, ios[0].sockets, [], (bert.id,)))
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        ios[0].sockets.adapter.close()
        await wait_all_tasks_blocked()
        assert not nursery.child_tasks
        assert trio.current_time() == begun


async def settle_a_little() -> None:
    """Let what is on its way come a little nearer."""
    await trio.sleep(0.01)


async def test_a_call_that_is_given_up_is_forgotten_on_all_servers(
    autojump_clock: MockClock,
) -> None:
    cluster = MemoryCluster()
    async with crowds(cluster, 0, 2, 1) as (ios, (_, (bert, _), _)):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, bert, "first")
            async with ios[0].answers("who?") as answers:
                assert await anext(answers) == "first"
        await settle()
        with trio.move_on_after(1):
            await ios[0].call("how?", timeout=30)
        await settle()
        for number, io in enumerate(ios):
            assert not any(one.sender.acks for one in io.sockets.connected.values())
            assert cluster.nodes[number].member._running == 0


# -- fetching ------------------------------------------------------------------------------------


async def test_sockets_of_all_servers(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(2)]
    async with ios[0], ios[1], connect(ios[0]) as anna:
        async with connect(ios[1], headers={"X-Who": "bert"}, query={"a": "1"}) as bert:
            socket = ios[1].sockets.connected[bert.id]
            socket.data.update(name="Bert", own=object(), raw=b"\x01", odd={1: 2})
            await socket.join("red")
            here, away = await ios[0].fetch_sockets()
            assert here is ios[0].sockets.connected[anna.id]
            assert isinstance(away, RemoteSocket)
            assert (away.id, away.rooms) == (bert.id, frozenset({bert.id, "red"}))
            assert away.data["name"] == "Bert"
            assert away.data["raw"] == b"\x01"
            assert "own" not in away.data
            assert away.handshake.as_json() == socket.handshake.as_json()
            assert away.handshake.headers["x-who"] == "bert"
            assert [one.id for one in await ios[0].to("red").fetch_sockets()] == [bert.id]
            assert [*await ios[0].except_(bert.id).fetch_sockets()] == [here]
            assert [*await ios[0].local.fetch_sockets()] == [here]

            await away.emit("hello", 1)
            assert await bert.receive() == ["hello", 1]
            async with trio.open_nursery() as nursery:
                nursery.start_soon(answer, bert, "bert")
                assert await away.call("how?") == "bert"
            await away.join("a", "b")
            await away.leave("red")
            assert socket.rooms == {bert.id, "a", "b"}
            await away.disconnect()
            await wait_all_tasks_blocked()
            assert not ios[1].sockets.connected
            with pytest.raises(Disconnected):
                await away.call("there?")
            await away.emit("nobody hears it")
            await away.join("nowhere")
            await away.disconnect(close=True)


async def test_more_sockets_than_one_message_tells_of(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    async with crowds(cluster, 0, 5) as (ios, (_, people)):
        for number, socket in enumerate(ios[1].sockets.connected.values()):
            socket.data.update(number=number, much="x" * (MAX_STATEMENT // 2))
        published = cluster.nodes[1].broker.published
        found = await ios[0].fetch_sockets()
        assert {one.id for one in found} == {client.id for client in people}
        assert sorted(one.data["number"] for one in found) == [*range(5)]
        assert found.complete
        assert cluster.nodes[1].broker.published == published + 5


async def test_an_answer_that_is_too_large_for_other_servers_is_missing(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Otherwise a client could have all servers connect to the broker anew."""
    async with crowds(MemoryCluster(), 0, 2) as (ios, (_, (bert, carl))):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, bert, "x" * (MAX_STATEMENT + 1))
            nursery.start_soon(answer, carl, "fine")
            begun = trio.current_time()
            await _expect_missing(ios[0], ["fine"], (bert.id,))
            assert trio.current_time() == begun
        assert "an answer in '/' is too large for another server" in caplog.text
        async with trio.open_nursery() as nursery:
            for client in (bert, carl):
                nursery.start_soon(answer, client, "x" * (MAX_STATEMENT + 1))
            assert len(await ios[1].call("how?")) == 2  # they are its own


async def test_who_does_not_tell_in_time_is_missing(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    async with (
        crowds(cluster, 1, 1, delay=0.1) as (ios, ((anna,), _)),
        trio.open_nursery() as nursery,
    ):

        async def fetch() -> None:
            found = await ios[0].fetch_sockets()
            assert ([one.id for one in found], found.missing) == ([anna.id], ("node-2",))

        nursery.start_soon(fetch)
        with trio.fail_after(10):
            while not cluster.nodes[1].member.counters.received:
                await settle_a_little()
        cluster.nodes[1].cut()


# -- what they are told to do --------------------------------------------------------------------


async def test_what_they_are_told_holds_on_all_servers(autojump_clock: MockClock) -> None:
    async with crowds(MemoryCluster(), 1, 2, delay=0.1) as (ios, ((anna,), (bert, carl))):
        here = ios[0].sockets.connected[anna.id]
        there = [ios[1].sockets.connected[client.id] for client in (bert, carl)]
        await ios[0].except_(carl.id).sockets_join("red", "green")
        assert here.rooms == {anna.id, "red", "green"}
        assert [one.rooms - {one.id} for one in there] == [{"red", "green"}, set()]
        await ios[1].in_("red").sockets_leave("red")
        assert [one.rooms - {one.id} for one in (here, *there)] == [{"green"}, {"green"}, set()]
        await here.broadcast.to("green").disconnect_sockets()  # bert leaves "/", and is here still
        await trio.sleep(1)
        assert [*ios[0].sockets.connected] == [anna.id]
        assert [*ios[1].sockets.connected] == [carl.id]
        await ios[0].local.sockets_join("here")
        await ios[0].local.sockets_leave("green")
        assert await ios[0].to("here").clients() == {anna.id}
        assert await ios[0].sockets.adapter.server_count() == 2
        await ios[0].local.disconnect_sockets()
        await ios[0].disconnect_sockets(close=True)
        await trio.sleep(1)
        assert (len(ios[0].router.clients), len(ios[1].router.clients)) == (1, 1)
        assert not ios[1].sockets.connected


async def test_limits_are_those_of_each_server(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join(), max_rooms=count) for count in (3, 1)]
    async with ios[0], ios[1], connect(ios[0]) as anna, connect(ios[1]) as bert:
        await ios[0].sockets_join("a", "b")
        assert await ios[0].to("a").clients() == {anna.id}
        assert "did not join rooms as another server asked" in caplog.text
        with pytest.raises(LimitReached):
            await ios[1].sockets_join("c", "d")
        assert await ios[0].to("c").clients() == set()
        with pytest.raises(LimitReached):
            await ios[1].sockets_join("e")
            await ios[1].sockets_join("f")
        assert await ios[0].to("e").clients() == {anna.id, bert.id}


# -- beside servers of socket.io-redis 5 -----------------------------------------------------------


class Elder:
    """A server of socket.io-redis 5, which has two clients; one of them is in "red".

    Attributes:
        seen: the requests.
    """

    def __init__(self, node: ForeignNode) -> None:
        self._node = node
        self.seen: list[dict[str, Any]] = []

    async def obey(self) -> None:
        node = self._node
        while True:
            for payload in node.take(node.channels.request):
                request = json.loads(payload)
                self.seen.append(request)
                response = self._respond(request)
                if response is not None:
                    message = {"requestid": request["requestid"], **response}
                    node.post(node.channels.response, json.dumps(message).encode())
            await trio.sleep(0.01)

    def _respond(self, request: dict[str, Any]) -> dict[str, Any] | None:
        members = {"old-1": {"old-1", "red"}, "old-2": {"old-2"}}
        if request["type"] == 0:
            asked = {*request["rooms"]}
            return {"clients": [one for one, own in members.items() if not asked or own & asked]}
        return {} if request.get("sid") == "old-1" else None


async def test_what_such_a_server_takes_part_in(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    async with (
        crowds(cluster, 1, 1, requests_timeout=1.0) as (ios, ((anna,), (bert,))),
        foreign(cluster) as node,
        trio.open_nursery() as nursery,
    ):
        elder = Elder(node)
        nursery.start_soon(elder.obey)
        async with trio.open_nursery() as answering:
            for client in (anna, bert):
                answering.start_soon(answer, client, client.id)
            with pytest.raises(MissingAnswers) as caught:
                await ios[0].call("how?")
        assert sorted(caught.value.answers) == sorted([anna.id, bert.id])
        assert caught.value.missing == ("old-1", "old-2")

        found = await ios[0].fetch_sockets()
        assert [one.id for one in found] == [anna.id, bert.id]
        assert found.missing == ("old-1", "old-2")
        assert (await ios[0].to("red").fetch_sockets()).missing == ("old-1",)
        assert (await ios[0].except_("red").fetch_sockets()).missing == ("old-2",)
        assert (await ios[0].except_("old-2").fetch_sockets()).missing == ("old-1",)
        assert await ios[0].sockets.adapter.server_count() == 3

        elder.seen.clear()
        await ios[0].to("red").sockets_join("a", "b")
        await ios[0].to("red").sockets_leave("a")
        await ios[0].to("red").disconnect_sockets(close=True)
        told = [(one["type"], one.get("room", one.get("close"))) for one in elder.seen]
        assert [one for one in told if one[0] != 0] == [(3, "a"), (3, "b"), (4, "a"), (6, True)]
        with pytest.raises(NoAnswer) as late:  # as if it had left: old-2 does not respond
            await ios[0].except_("red").sockets_join("a")
        assert late.value.missing == ("old-2",)
        assert ios[1].sockets.connected[bert.id].rooms == {bert.id, "a"}
        assert node.take(node.channels.ask) == []
        nursery.cancel_scope.cancel()


async def test_such_a_server_that_is_silent_is_missing(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    silent = "1 node that does not announce itself"
    async with crowds(cluster, 1, requests_timeout=1.0) as (ios, ((anna,),)), foreign(cluster):
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, anna, "anna")
            await _expect_missing(ios[0], ["anna"], (silent,))
        assert (await ios[0].fetch_sockets()).missing == (silent,)
        with pytest.raises(NoAnswer, match=silent):
            await ios[0].sockets_join("red")
        assert ios[0].sockets.connected[anna.id].rooms == {anna.id, "red"}


async def test_a_server_that_does_not_announce_itself_is_missing_without_a_name(
    autojump_clock: MockClock,
) -> None:
    cluster = MemoryCluster()
    one, two = (Server(adapter=cluster.join(announce=announce)) for announce in (True, False))
    async with one, two, connect(two) as bert:
        await settle()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, bert, "bert")
            assert await one.call("how?") == ["bert"]
        cluster.nodes[1].member.max_answers = 0
        await _expect_missing(one, [], (NAMELESS,))
        assert (await one.fetch_sockets()).missing == ("1 node that does not announce itself",)


async def test_a_handler_asks_the_others(autojump_clock: MockClock) -> None:
    cluster = MemoryCluster()
    ios = [Server(adapter=cluster.join()) for _ in range(2)]

    @ios[0].on("ask")
    async def ask(socket: Socket) -> list[object]:
        return await socket.broadcast.call("how?")

    async with ios[0], ios[1], connect(ios[0]) as anna, connect(ios[1]) as bert:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer, bert, "bert")
            assert await anna.call("ask") == [["bert"]]
