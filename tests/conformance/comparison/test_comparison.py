"""Two servers are compared step by step, up to what is known to differ."""

from collections.abc import Sequence
from dataclasses import replace

import trio_sio
from tests.support.peers import served
from trio_sio.conformance.comparison.comparison import Difference, compare, judge
from trio_sio.conformance.comparison.player import Observation
from trio_sio.conformance.target import Target
from trio_sio.testing.scripts import Script, Send, Step, Upgrade

SCRIPT = Script(("polling",), (Send(0, ("2",)), Send(0, ("3",))))


def heard(*texts: str) -> list[Observation]:
    """What is heard in each step, the first while clients connect."""
    return [{"0": {"/": [text]}} for text in texts]


def forgive(step: Step | None, right: Observation, got: Observation) -> Observation:
    return right if got == {"0": {"/": ["other"]}} else got


KNOWN = Difference("a name", "this", "that", "since", SCRIPT, forgive)


def test_the_same() -> None:
    comparison = judge(SCRIPT, heard("a", "b"), heard("a", "b"), [KNOWN])
    assert (comparison.met, comparison.disagreement) == (frozenset(), None)


def test_something_else_is_told_with_its_step() -> None:
    told = judge(SCRIPT, heard("a", "b"), heard("a", "c"), [KNOWN]).disagreement or ""
    assert told.splitlines() == [
        "at Send(client=0, packets=('2',))",
        "  reference, 0: {'/': ['b']}",
        "  other,     0: {'/': ['c']}",
    ]


def test_at_the_beginning() -> None:
    told = judge(SCRIPT, heard("a"), heard("b")).disagreement or ""
    assert told.startswith("at the beginning\n")


def test_one_hears_longer_than_the_other() -> None:
    told = judge(SCRIPT, heard("a", "b"), heard("a", "b", "c")).disagreement or ""
    assert "reference, 0: nothing" in told


def ending(*texts: str, end: str = "CLOSE") -> list[Observation]:
    """What two clients hear of a step in which the session of the first ends."""
    events = list(texts)
    first = {"/": events, "end": [end]} if events else {"end": [end]}
    return [{"0": first, **({"1": {"/": events}} if events else {})}]


def test_how_much_comes_before_an_end_is_chance() -> None:
    for one, other in [("ab", ""), ("", "ab"), ("ab", "a")]:
        assert judge(SCRIPT, ending(*one), ending(*other)).disagreement is None


def test_what_comes_before_an_end_is_not() -> None:
    assert judge(SCRIPT, ending("a", "b"), ending("b")).disagreement is not None
    assert judge(SCRIPT, ending("a"), ending("a", end="else")).disagreement is not None
    assert judge(SCRIPT, ending("a"), heard("a")).disagreement is not None


def elsewhere(*texts: str, end: str = "close frame, no code") -> list[Observation]:
    """What is heard of a step with a WebSocket of its own, which ends."""
    lines = ["status 101", *(f"/ by WebSocket: {text}" for text in texts)]
    return [{"others": {"responses": [*lines, f"end by WebSocket: {end}"]}}]


def test_so_it_is_for_a_websocket_of_its_own() -> None:
    for one, other in [("ab", ""), ("", "ab"), ("ab", "a")]:
        assert judge(SCRIPT, elsewhere(*one), elsewhere(*other)).disagreement is None
    assert judge(SCRIPT, elsewhere("a", "b"), elsewhere("b")).disagreement is not None
    assert judge(SCRIPT, elsewhere("a"), elsewhere("a", end="reset")).disagreement is not None


LEAVING = Send(0, ('42["a"]', "420[1]", "41"))


def left(transport: str, *texts: str, namespace: str = "/", acks: str = "") -> str | None:
    """What disagrees if a client that leaves hears this of one server, and nothing of the other."""
    script = Script((transport,), (LEAVING,))
    first = {namespace: list(texts)} if texts else {}
    first |= {"acks": [acks]} if acks else {}
    right: list[Observation] = [{}, {"0": first}]
    nothing: list[Observation] = [{}, {}]
    there, back = judge(script, right, nothing), judge(script, nothing, right)
    assert (there.disagreement is None) is (back.disagreement is None)
    return there.disagreement


def test_how_much_comes_before_a_disconnect_by_websocket_is_chance() -> None:
    assert left("websocket", "a", "b") is None
    assert left("websocket-base64", "a", acks="430[]") is None
    assert left("websocket", "a", namespace="/chat") is not None
    assert left("websocket", "CLOSE", namespace="end") is not None
    assert left("polling", "a") is not None  # all of a POST is there at once
    moved = Script(("polling",), (Upgrade(0), LEAVING))
    events: list[Observation] = [{}, {}, {"0": {"/": ["a"]}}]
    assert judge(moved, events, [{}, {}, {}]).disagreement is None
    stays = Script(("websocket",), (Send(0, ('42["a"]', "40/chat")),))
    assert judge(stays, events[1:], [{}, {}]).disagreement is not None


def test_what_comes_before_a_disconnect_is_not() -> None:
    script = Script(("websocket",), (LEAVING,))
    one, other = ([{}, {"0": {"/": list(texts)}}] for texts in ("ab", "b"))
    assert judge(script, one, other).disagreement is not None


def test_chance_hides_behind_a_known_difference() -> None:
    """Of two acknowledgements the other server sends the first, which the reference never does."""
    unasked = Difference("a name", "", "", "", SCRIPT, lambda _, right, got: without_first(got))
    right: list[Observation] = [{}, {"0": {"acks": ["430[]"], "end": ["CLOSE"]}}]
    got: list[Observation] = [{}, {"0": {"acks": ["432[]"], "end": ["CLOSE"]}}]
    assert judge(SCRIPT, right, got).disagreement is not None
    assert judge(SCRIPT, right, got, [unasked]).disagreement is None


def without_first(heard: Observation) -> Observation:
    return {who: {**what, "acks": what.get("acks", [])[1:]} for who, what in heard.items()}


def test_a_known_difference_is_met_and_the_rest_compared() -> None:
    comparison = judge(SCRIPT, heard("a", "b", "c"), heard("a", "other", "d"), [KNOWN])
    assert comparison.met == {"a name"}
    assert comparison.disagreement is not None


def test_behind_some_nothing_is_compared() -> None:
    last = replace(KNOWN, ends=True)
    comparison = judge(SCRIPT, heard("a", "b", "c"), heard("a", "other", "d"), [last])
    assert comparison.met == {"a name"}
    assert comparison.disagreement is None


def test_some_are_possible_only_behind_something() -> None:
    seen: list[tuple[Sequence[Step | None], Sequence[Observation]]] = []

    def when(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
        seen.append((steps, before))
        return before == heard("a")

    known = [replace(KNOWN, when=when)]
    assert judge(SCRIPT, heard("a", "b"), heard("a", "other"), known).disagreement is None
    assert judge(SCRIPT, heard("a", "x", "b"), heard("a", "x", "other"), known).disagreement
    assert seen == [
        ((None, SCRIPT.steps[0]), heard("a")),
        ((None, *SCRIPT.steps), heard("a", "x")),
    ]


async def test_two_servers() -> None:
    right, wrong = trio_sio.Server(), trio_sio.Server()
    for io, name in ((right, "right"), (wrong, "wrong")):

        @io.on("ask")
        async def ask(socket: trio_sio.Socket, name: str = name) -> None:
            await socket.emit(name)

        @io.on("ack")
        async def ack(socket: trio_sio.Socket) -> None:
            pass

    script = Script(("websocket",), (Send(0, ('42["ask"]',)),))
    async with served(right) as one, served(wrong) as other:
        here, there = Target.parse(one), Target.parse(other)
        assert (await compare(here, here, script)).disagreement is None
        told = (await compare(here, there, script)).disagreement or ""
    assert """reference, 0: {'/': ['42["right"]']}""" in told
    assert """other,     0: {'/': ['42["wrong"]']}""" in told
