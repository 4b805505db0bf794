"""Plays one script to two servers and compares what is heard, up to what is known to differ."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import trio

from trio_sio.conformance.comparison.heard import Heard, socketio_head
from trio_sio.conformance.comparison.player import Observation, play
from trio_sio.conformance.target import Target
from trio_sio.testing.scripts import Script, Send, Step, Upgrade

_DISCONNECT = "1"
_ENDED = "end by WebSocket: "

Explain = Callable[[Step | None, Observation, Observation], Observation]
"""Is given a step (`None` while clients connect) and what is heard of the reference and of the
other server, and returns what would be heard of the other but for the difference. Where the
difference is not, or where either server does something else than it says, that is the same."""

When = Callable[[Sequence[Step | None], Sequence[Observation]], bool]
"""Is given the steps so far, the last of which is judged, and what was heard of the other server
before that; returns whether the difference is possible there."""


def _always(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Difference:
    """In what two servers differ on purpose.

    Attributes:
        name: a few words.
        reference: what the reference does.
        other: what the other server does.
        reason: why.
        example: a script in which it is met.
        explain: takes it out of what is heard.
        ends: whether the servers cannot be compared any more behind it.
        when: where it is possible, if that depends on what came before.
    """

    name: str
    reference: str
    other: str
    reason: str
    example: Script
    explain: Explain
    ends: bool = False
    when: When = _always


@dataclass(frozen=True, slots=True)
class Comparison:
    """What came of one script.

    Attributes:
        met: names of the known differences that were met.
        disagreement: what is heard differently for no known reason, `None` if nothing is.
    """

    met: frozenset[str]
    disagreement: str | None


async def compare(
    reference: Target, other: Target, script: Script, known: Sequence[Difference] = ()
) -> Comparison:
    """Play a script to two servers.

    Args:
        reference: the server that is right.
        other: the one that is compared with it.
        script: what clients do.
        known: what may differ.

    Raises:
        OSError: a server cannot be reached.
        trio.TooSlowError: one did not answer in time.
    """
    heard: dict[Target, list[Observation]] = {}

    async def hear(target: Target) -> None:
        heard[target] = await play(target, script)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(hear, reference)
        nursery.start_soon(hear, other)
    return judge(script, heard[reference], heard[other], known)


def judge(
    script: Script,
    reference: Sequence[Observation],
    other: Sequence[Observation],
    known: Sequence[Difference] = (),
) -> Comparison:
    """Compare what was heard of two servers, step by step."""
    met: set[str] = set()
    steps = (None, *script.steps)
    for number in range(max(len(reference), len(other))):
        step = steps[number]
        right = reference[number] if number < len(reference) else {}
        got = other[number] if number < len(other) else {}
        got = _but_for_chance(script, number, right, got)
        for difference in known:
            if right == got:
                break
            if not difference.when(steps[: number + 1], other[:number]):
                continue
            explained = difference.explain(step, right, got)
            if explained != got:
                met.add(difference.name)
                if difference.ends and explained == right:
                    return Comparison(frozenset(met), None)
                got = _but_for_chance(script, number, right, explained)
        if right != got:
            return Comparison(frozenset(met), _told(step, right, got))
    return Comparison(frozenset(met), None)


def _but_for_chance(
    script: Script, number: int, right: Observation, got: Observation
) -> Observation:
    return _without_chance(right, _as_left(script, number, right, got))


def _as_left(script: Script, number: int, right: Observation, got: Observation) -> Observation:
    """Return what is heard of the other server, but for how much came before a DISCONNECT.

    What arrives by WebSocket together with a DISCONNECT is answered or not, as with an end.
    """
    step = script.steps[number - 1] if number else None
    if not isinstance(step, Send) or not _is_by_websocket(script, number, step.client):
        return got
    heads = [socketio_head(packet) for packet in step.packets]
    left = {head.namespace for head in heads if head and head.kind == _DISCONNECT}
    who = str(step.client)
    changed = {**got, who: _up_to_chance(right.get(who, {}), got.get(who, {}), {*left, "acks"})}
    return {one: heard for one, heard in changed.items() if heard} if left else got


def _is_by_websocket(script: Script, number: int, client: int) -> bool:
    upgrades = [step.client for step in script.steps[: number - 1] if isinstance(step, Upgrade)]
    return client in upgrades or script.transports[client].startswith("websocket")


def _without_chance(right: Observation, got: Observation) -> Observation:
    """Return what is heard of the other server, but for how much came before an end.

    Packets that arrive together with what ends the session are handled, and answered, or not: that
    hangs on how TCP has divided them.
    """
    others = _others_without_chance(right.get("others", {}), got.get("others", {}))
    ends = [who for who in right if "end" in right[who] and "end" in got.get(who, {})]
    if not ends:
        return {**got, "others": others} if "others" in got else got
    changed = {"others": others}
    for who in {*right, *got} - {"others"}:
        mine, theirs = got.get(who, {}), right.get(who, {})
        changed[who] = _up_to_chance(theirs, mine, {*mine, *theirs} - {"end"})
    return {who: heard for who, heard in changed.items() if heard}


def _up_to_chance(right: Heard, got: Heard, names: Collection[str]) -> Heard:
    """Return what is heard of the other server, as if it were as much as of the reference."""
    changed = dict(got)
    for name in names:
        texts = right.get(name, [])
        if _begin_alike(texts, got.get(name, [])):
            changed[name] = texts
    return {name: texts for name, texts in changed.items() if texts}


def _others_without_chance(right: Heard, got: Heard) -> Heard:
    """The same for a WebSocket of its own, which is heard last."""
    theirs, mine = right.get("responses", []), got.get("responses", [])
    have_ended = any(line.startswith(_ENDED) for line in mine[-1:])
    if have_ended and theirs[-1:] == mine[-1:] and _begin_alike(theirs[:-1], mine[:-1]):
        return right
    return got


def _begin_alike(some: Sequence[str], more: Sequence[str]) -> bool:
    return all(one == another for one, another in zip(some, more, strict=False))


def _told(step: Step | None, right: Observation, got: Observation) -> str:
    lines = [f"at {str(step)[:500] if step else 'the beginning'}"]
    for who in sorted({*right, *got}):
        if right.get(who) != got.get(who):
            lines.append(f"  reference, {who}: {right.get(who, 'nothing')}")
            lines.append(f"  other,     {who}: {got.get(who, 'nothing')}")
    return "\n".join(lines)
