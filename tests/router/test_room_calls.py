"""Asking all sockets of a room, in rooms of both generations, and who answers."""

import math
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.support.examples import examples
from tests.support.mixed import NEW, OLD, Person, people
from tests.support.modern import OLD_TARGET, TARGET
from trio_sio import (
    Event,
    LocalProtocolError,
    MemoryAdapter,
    MissingAnswers,
    Packet,
    Server,
    Socket,
)
from trio_sio.abc import AnswerCollector, Target
from trio_sio.protocol.socketio.notepack import pack, unpack
from trio_sio.testing import MemoryClient, connect, open_wire
from trio_sio.testing.cluster import MemoryCluster
from trio_sio.testing.wire_websocket import open_websocket


async def test_one_id_is_answered_by_both_generations(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, NEW, OLD, NEW) as (anna, bert, carl), trio.open_nursery() as nursery:
        got: list[object] = []

        async def ask() -> None:
            got.extend(await io.to("all").call("how?", 1, timeout=5))

        nursery.start_soon(ask)
        heard = [await one.hear() for one in (anna, bert, carl)]
        assert heard == [(0, ["how?", 1])] * 3
        await carl.answer(0, "well", 2)
        await wait_all_tasks_blocked()
        await anna.answer(0)
        await wait_all_tasks_blocked()
        await anna.answer(0, "again")
        assert got == []
        await bert.answer(0, {"a": [1]})
    assert got == [("well", 2), None, {"a": [1]}]
    assert [len(one.socket.sender.acks) for one in (anna, bert, carl)] == [0, 0, 0]


async def test_the_counter_is_shared_with_calls_of_one_socket(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW) as (anna, bert):
        for number in range(0, 4, 2):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(io.call, "all?")
                nursery.start_soon(bert.socket.call, "you?")
                ids: dict[str, int | None] = {}
                for ack_id, (event,) in (await bert.hear(), await bert.hear()):
                    ids[event] = ack_id
                assert {*ids.values()} == {number, number + 1}
                assert await anna.hear() == (ids["all?"], ["all?"])
                await anna.answer(ids["all?"])
                for ack_id in ids.values():
                    await bert.answer(ack_id)


@pytest.mark.parametrize("seconds", [-1, math.inf, math.nan])
async def test_the_timeout_is_a_number_of_seconds(seconds: float) -> None:
    io = Server()
    with pytest.raises(ValueError, match="timeout must be a number of seconds"):
        await io.call("x", timeout=seconds)
    with pytest.raises(ValueError, match="timeout must be a number of seconds"):
        io.answers("x", timeout=seconds)


async def test_an_empty_room_has_answered_at_once(autojump_clock: MockClock) -> None:
    io = Server()
    begun = trio.current_time()
    assert await io.to("nobody").call("x") == []
    async with io.to("nobody").answers("x") as answers:
        assert [one async for one in answers] == []
    assert await io.of(re.compile("/room-.*")).call("x") == []
    assert trio.current_time() == begun


async def test_what_cannot_be_sent_is_asked_of_nobody(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW) as both:
        with pytest.raises(ValueError, match="reserved"):
            await io.call("connect")
        with pytest.raises(LocalProtocolError):
            await io.call("x", object())
        with pytest.raises(LocalProtocolError):
            async with io.answers("x", object()):
                raise AssertionError("nobody can be asked")
        await io.emit("last")
        for one in both:
            assert await one.hear() == (None, ["last"])
            assert not one.socket.sender.acks


# -- who is missing --------------------------------------------------------------------------

DEEDS = ["answer", "answer twice", "leave", "vanish", "kicked", "silent", "answer late"]


@examples(60)
@given(
    st.lists(st.tuples(st.sampled_from([OLD, NEW]), st.sampled_from(DEEDS)), max_size=4),
    st.booleans(),
)
def test_each_answers_or_leaves_or_is_missing(
    plan: list[tuple[int, str]], comes_one_by_one: bool
) -> None:
    async def main() -> None:
        io = Server(raise_errors=True)
        async with people(io, *(protocol for protocol, _ in plan)) as crowd:
            await _play(io, crowd, [deed for _, deed in plan], comes_one_by_one)

    trio.run(main, clock=MockClock(autojump_threshold=0))


async def _play(
    io: Server, crowd: Sequence[Person], deeds: Sequence[str], comes_one_by_one: bool
) -> None:
    numbers = {one.id: number for number, one in enumerate(crowd)}
    answered = [number for number, deed in enumerate(deeds) if deed.startswith("answer")]
    late = [number for number in answered if deeds[number] == "answer late"]
    answered = [number for number in answered if number not in late]
    missing = [number for number, deed in enumerate(deeds) if deed == "silent"] + late
    sockets = [one.socket for one in crowd]

    async def act(person: Person, deed: str) -> None:
        ack_id, event = await person.hear()
        assert event == ["how?"]
        if deed.startswith("answer"):
            await trio.sleep(10 if deed == "answer late" else 1)
            for _ in range(1 + (deed == "answer twice")):
                await person.answer(ack_id, numbers[person.id])
        elif deed == "kicked":
            await person.socket.disconnect()
        elif deed != "silent":
            await getattr(person, deed)()

    got: list[object] = []
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for one, deed in zip(crowd, deeds, strict=True):
            nursery.start_soon(act, one, deed)
        error = await _ask(io, got, comes_one_by_one)
        assert (error is None) == (not missing)
        if error is not None:
            assert sorted(numbers[sid] for sid in error.missing) == sorted(missing)
            assert error.answers == got
        passed = trio.current_time() - begun
        assert passed == pytest.approx(5) if missing else passed < 2
        assert not any(socket.sender.acks for socket in sockets)
    assert sorted(got, key=repr) == answered


async def _ask(io: Server, got: list[object], comes_one_by_one: bool) -> MissingAnswers | None:
    """Ask "all", add what is answered, and return what is raised."""
    try:
        if not comes_one_by_one:
            got += await io.to("all").call("how?", timeout=5)
            return None
        async with io.to("all").answers("how?", timeout=5) as answers:
            async for answer in answers:
                got.append(answer)
    except MissingAnswers as error:
        if not comes_one_by_one:
            got += error.answers
        return error
    return None


@pytest.mark.parametrize("generation", [2, 4])
async def test_answers_of_a_cluster_say_who_has_given_them(
    autojump_clock: MockClock, generation: int
) -> None:
    cluster = MemoryCluster()
    one, two = (Server(adapter=cluster.join(generation=generation)) for _ in range(2))
    async with people(one, OLD) as (anna,), people(two, OLD, NEW) as (bert, carl):
        await wait_all_tasks_blocked()
        async with one.answers("who?") as answers, trio.open_nursery() as nursery:

            async def answer(person: Person, said: str) -> None:
                await person.answer((await person.hear())[0], said)

            for person, said in ((anna, "Anna"), (bert, "Bert"), (carl, "Carl")):
                nursery.start_soon(answer, person, said)
            named = [found async for found in answers.named()]
    ids = {"Anna": anna.id, "Bert": bert.id, "Carl": carl.id}
    if generation == 4:
        ids["Bert"] = ids["Carl"] = "a client of node-2"
    assert {said: name for name, said in named} == ids
    assert named == [*zip(answers.answered, answers.arrived, strict=True)]


async def test_who_comes_meanwhile_is_not_asked(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD) as (anna,), io.answers("how?") as answers:
        async with people(io, NEW) as (bert,):
            await io.emit("last")
            assert await bert.hear() == (None, ["last"])
            await anna.answer(*[(await anna.hear())[0]], "well")
            assert [one async for one in answers] == ["well"]


async def test_who_owes_too_much_is_missing_and_delays_nobody(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True, max_pending_acks=1)
    async with people(io, OLD, NEW) as (anna, bert):
        await anna.socket.emit("before", ack=repr)
        await anna.hear()
        begun = trio.current_time()

        async def answer() -> None:
            await bert.answer((await bert.hear())[0], "bert")

        async with trio.open_nursery() as nursery:
            nursery.start_soon(answer)
            with pytest.raises(MissingAnswers) as caught:
                await io.call("how?")
        assert (caught.value.answers, caught.value.missing) == (["bert"], (anna.id,))
        assert trio.current_time() == begun


async def test_who_is_cancelled_waits_for_nothing_any_more(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW) as (anna, bert):
        with trio.move_on_after(1) as scope:
            await io.call("how?")
        assert scope.cancelled_caught
        assert not anna.socket.sender.acks
        with trio.move_on_after(1) as scope:
            async with io.answers("how?") as answers:
                async for _ in answers:
                    raise AssertionError("nobody answers")
        assert scope.cancelled_caught
        assert not bert.socket.sender.acks


async def test_leaving_the_block_early_waits_for_nobody(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW) as (anna, bert):

        async def first(person: Person) -> None:
            await person.answer((await person.hear())[0], person.id)

        async with trio.open_nursery() as nursery:
            nursery.start_soon(first, bert)
            begun = trio.current_time()
            async with io.answers("who is first?", timeout=5) as answers:
                assert await anext(answers) == bert.id
        assert trio.current_time() == begun
        assert not anna.socket.sender.acks
        assert answers.missing == (anna.id,)
        with pytest.raises(MissingAnswers):
            await anext(answers)
        with pytest.raises(ValueError, match="mine"):
            async with io.answers("who?"):
                raise ValueError("mine")
        assert not anna.socket.sender.acks


async def test_a_handler_may_ask_the_room_of_its_own_client(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)

    @io.on("ask")
    async def ask(socket: Socket) -> None:
        answers = await io.to("all").call("how?")
        await io.emit("they said", sorted(answers))

    async with people(io, OLD, NEW) as both:
        await both[0].say("ask")
        for number, one in enumerate(both):
            await one.answer((await one.hear())[0], number)
        assert await both[1].hear() == (None, ["they said", [0, 1]])


async def test_a_client_that_answers_nonsense_is_gone(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=False)
    async with people(io, NEW, OLD) as (anna, bert), trio.open_nursery() as nursery:

        async def act() -> None:
            ack_id, _ = await anna.hear()
            await bert.hear()
            await anna.websocket.send(f"43{ack_id}nonsense")
            await bert.answer(ack_id, "fine")

        nursery.start_soon(act)
        assert await io.call("how?", timeout=5) == ["fine"]


async def test_a_socket_asks_the_others(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW, NEW) as (anna, bert, carl):
        async with trio.open_nursery() as nursery:
            targets = [anna.socket.broadcast, anna.socket.except_(carl.id)]
            got: list[object] = []

            async def ask() -> None:
                for target in targets:
                    got.append(await target.call("how?"))  # noqa: PERF401 - one by one

            nursery.start_soon(ask)
            for one in (bert, carl, bert):
                await one.answer((await one.hear())[0], one.protocol)
        assert got == [[5, 5], [5]]
        await io.emit("last")
        assert await anna.hear() == (None, ["last"])


async def test_volatile_asks_who_can_take_it(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    async with connect(io, buffer=2) as slow, people(io, OLD) as (anna,):
        await wait_all_tasks_blocked()
        socket = io.sockets.connected[slow.id]
        while True:
            try:
                socket.emit_nowait("fill")
            except trio.WouldBlock:
                break
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                await anna.answer((await anna.hear())[0], "anna")

            nursery.start_soon(answer)
            assert await io.volatile.call("how?") == ["anna"]


async def test_a_dynamic_namespace_asks_in_all_it_has_made(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True)
    parent = io.of(re.compile(r"/room-\d"))
    async with connect(io, "/room-1") as anna, connect(io, "/room-2") as bert:
        async with trio.open_nursery() as nursery:

            async def answer() -> None:
                for one in (anna, bert):
                    await one.answer(await one.receive_packet(), one.namespace)

            nursery.start_soon(answer)
            assert sorted(await parent.call("how?")) == ["/room-1", "/room-2"]
        with pytest.raises(MissingAnswers) as caught:
            await parent.to(anna.id).call("how?", timeout=1)
        assert caught.value.missing == (anna.id,)


async def test_messagepack_too(autojump_clock: MockClock) -> None:
    io = Server(raise_errors=True, parser="msgpack")
    async with open_wire(io) as wire:
        new = await open_websocket(wire.connect(), TARGET)
        old = await open_websocket(wire.connect(), OLD_TARGET)
        for one in (new, old):
            await one.receive()
        await old.receive()
        await new.send(pack({"type": 0, "nsp": "/"}))
        await new.receive()
        got: list[object] = []

        async def ask() -> None:
            got.extend(await io.call("how?", b"\x01"))

        async with trio.open_nursery() as nursery:
            nursery.start_soon(ask)
            of_new, of_old = await new.receive(), await old.receive()
            assert isinstance(of_new, bytes)
            assert isinstance(of_old, bytes)
            data = ["how?", b"\x01"]
            assert unpack(of_new) == {"type": 2, "data": data, "id": 0, "nsp": "/"}
            assert unpack(of_old[1:]) == {"type": 5, "data": data, "id": 0, "nsp": "/"}
            await new.send(pack({"type": 3, "data": [b"\x02"], "id": 0, "nsp": "/"}))
            await wait_all_tasks_blocked()
            await old.send(b"\x04" + pack({"type": 6, "data": [b"\x03", 1], "id": 0, "nsp": "/"}))
        assert got == [b"\x02", (b"\x03", 1)]


# -- what an application may have made ------------------------------------------------------------


async def test_a_declared_event_says_what_the_answers_are(autojump_clock: MockClock) -> None:
    vote: Event[bool, str] = Event("vote")
    io = Server(raise_errors=True)
    async with people(io, OLD, NEW) as both, trio.open_nursery() as nursery:

        async def answer(person: Person) -> None:
            await person.answer((await person.hear())[0], True)

        for one in both:
            nursery.start_soon(answer, one)
        ballot: list[bool] = await io.call(vote, "lunch?")
        assert ballot == [True, True]


async def test_foreign_values_are_replaced_once(autojump_clock: MockClock) -> None:
    seen: list[object] = []

    def default(value: object) -> str:
        seen.append(value)
        return "replaced"

    io = Server(raise_errors=True, json_default=default)
    parent = io.of(re.compile("/room-.*"))

    async def answer(client: MemoryClient) -> None:
        packet = await client.receive_packet()
        await client.answer(packet, packet.args[0])

    async with connect(io, "/room-1") as anna, connect(io) as bert:
        for client, target in ((anna, parent), (bert, io.to(bert.id))):
            async with trio.open_nursery() as nursery:
                nursery.start_soon(answer, client)
                assert await target.call("x", 1j) == ["replaced"]
    assert seen == [1j, 1j]


async def test_an_adapter_that_sends_to_others_and_cannot_ask_them_says_so(
    autojump_clock: MockClock,
) -> None:
    class Wider(MemoryAdapter):
        async def broadcast(self, packet: Packet, target: Target) -> None:
            await super().broadcast(packet, target)

    io = Server(adapter=Wider)
    async with connect(io):
        with pytest.raises(NotImplementedError, match=r"broadcast_with_ack, which .*Wider has not"):
            await io.call("x")


async def test_an_adapter_that_takes_too_long_to_ask_has_asked_nobody(
    autojump_clock: MockClock,
) -> None:
    class Slow(MemoryAdapter):
        @asynccontextmanager
        async def broadcast_with_ack(self, *args: object) -> AsyncIterator[None]:
            await trio.sleep(100)
            yield

    io = Server(adapter=Slow)
    begun = trio.current_time()
    with pytest.raises(MissingAnswers, match="no time to ask"):
        await io.call("x", timeout=1)
    async with io.answers("x", timeout=1) as answers:
        with pytest.raises(MissingAnswers, match="no time to ask"):
            await anext(answers)
    assert trio.current_time() - begun == pytest.approx(2)


async def test_a_time_that_is_over_while_the_adapter_cannot_be_cancelled_cuts_off_nobody(
    autojump_clock: MockClock,
) -> None:
    class Stubborn(MemoryAdapter):
        @asynccontextmanager
        async def broadcast_with_ack(
            self, packet: Packet, target: Target, answers: AnswerCollector
        ) -> AsyncIterator[None]:
            with self.ask(packet, target, answers):
                with trio.CancelScope(shield=True):
                    await trio.sleep(5)
                yield

    io = Server(adapter=Stubborn)
    async with people(io, OLD) as (anna,):
        went_on = []
        async with io.answers("x", timeout=1) as answers:
            await trio.sleep(1)
            went_on.append(1)
            with pytest.raises(MissingAnswers) as caught:
                await anext(answers)
        assert went_on == [1]
        assert caught.value.missing == (anna.id,)
        assert not anna.socket.sender.acks
        with pytest.raises(MissingAnswers):
            await io.call("x", timeout=1)
