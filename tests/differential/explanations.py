"""Takes documented differences out of what is heard of trio_sio; see `Difference.explain`.

Each looks at what both servers do, and changes nothing if either does something else.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Sequence

from trio_sio.conformance.comparison.player import Observation
from trio_sio.protocol.engineio.codec_v3 import decode_binary_payload, decode_text_payload
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.testing.scripts import Post, Probe, Request, Send, Step

_DETAIL = re.compile(r',"detail":"(?:[^"\\]|\\.)*"(?:}|\.\.\. \(\d+\)$)')
_EMPTY_ACK = re.compile(r"43(/[^,]*,)?\d+\[\]")
_ASKING = re.compile(r"4(?:2|5\d+-)((?:/[^,]*,)?\d+)\[")
CORS = "access-control-allow-"
_JOINED = ("40/", "40{")
_INVALID = ',"Invalid namespace"'


def lines_of(heard: Observation) -> list[str]:
    return heard.get("others", {}).get("responses", [])


def with_lines(heard: Observation, lines: list[str]) -> Observation:
    rest = {who: what for who, what in heard.items() if who != "others"}
    return {**rest, "others": {"responses": lines}} if lines else rest


def answered(
    answer: Callable[[Step | None, list[str], list[str]], bool],
) -> Callable[[Step | None, Observation, Observation], Observation]:
    """Return an explanation: if both answers are as they should be, ours counts as theirs."""

    def explain(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
        their_lines, our_lines = lines_of(theirs), lines_of(ours)
        if their_lines != our_lines and answer(step, their_lines, our_lines):
            return with_lines(ours, their_lines)
        return ours

    return explain


def without_detail(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    lines = [_DETAIL.sub("}", line) for line in lines_of(ours)]
    their_lines = lines_of(theirs)
    if len(lines) == len(their_lines):
        lines = [
            right if right and line.startswith(f"{right}\n") else line
            for right, line in zip(their_lines, lines, strict=True)
        ]
    changed = with_lines(ours, lines)
    return {
        who: {
            what: [_DETAIL.sub("}", text) for text in texts] if what == "end" else texts
            for what, texts in heard.items()
        }
        for who, heard in changed.items()
    }


def without_cors(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Each response of ours that has the fields, where the same one of theirs has none."""
    origin = dict(step.headers).get("Origin") if isinstance(step, Request) else None
    wanted = {f"{CORS}origin: {origin or '*'}"}
    if origin:
        wanted.add(f"{CORS}credentials: true")
    rights, gots = _responses(lines_of(theirs)), _responses(lines_of(ours))
    lines: list[str] = []
    for number, got in enumerate(gots):
        right = rights[number] if number < len(rights) else []
        has_none = not any(line.startswith(CORS) for line in right)
        is_ours = has_none and {line for line in got if line.startswith(CORS)} == wanted
        lines += [line for line in got if not (is_ours and line in wanted)]
    return with_lines(ours, lines)


def _responses(lines: list[str]) -> list[list[str]]:
    found: list[list[str]] = [[]]
    for line in lines:
        if line.startswith("status "):
            found.append([])
        found[-1].append(line)
    return found


@answered
def method_not_allowed(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    is_other = isinstance(step, Request) and step.method not in ("GET", "POST", "OPTIONS")
    return is_other and theirs == ["status 500", ""] and ours == ["status 405", ""]


@answered
def preflight(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    if not isinstance(step, Request) or step.method != "OPTIONS" or not theirs:
        return False
    is_ours = ours[:1] == ["status 200"] and ours[-2:] == [f"{CORS}headers: Content-Type", ""]
    return is_ours and theirs[0] in ("status 200", "status 400", "status 500")


@answered
def other_revision(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    is_refused = "status 400" in ours and "Unsupported protocol version" in ours[-1]
    return is_refused and theirs[:1] in (["status 200"], ["status 101"], ["status 400"])


def unanswered(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Ours answers what theirs leaves open; meanwhile Node.js closes connections that are idle."""
    lines = lines_of(ours)
    method = step.method if isinstance(step, Request) else ""
    is_refused = "status 400" in lines and ('{"code":3,' in lines[-1] or method == "HEAD")
    is_answered = is_refused or (method == "OPTIONS" and "status 200" in lines)
    return theirs if lines_of(theirs) == ["no answer"] and is_answered else ours


def too_large(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Request | Post | Send):
        return ours
    is_ours = any("413" in line for line in lines_of(ours)) and any(
        "max_http_buffer_size" in line for line in lines_of(ours)
    )
    is_theirs = lines_of(theirs) in ([], ["the connection ended without an answer"])
    return theirs if is_ours and is_theirs else ours


def joined_twice(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Ours answers at least one CONNECT of each namespace, and hears nothing else otherwise."""
    changed = {}
    for who, heard in ours.items():
        right = theirs.get(who, {})
        changed[who] = {
            name: right.get(name, [])
            if _without_connects(right.get(name, [])) == _without_connects(texts)
            and _connects(right.get(name, [])) > _connects(texts) > 0
            else texts
            for name, texts in heard.items()
        }
    return changed


def joined_again(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Theirs answers CONNECT, of which ours says nothing; all else is the same."""
    changed = {}
    for who in {*theirs, *ours}:
        right, got = theirs.get(who, {}), ours.get(who, {})
        names = _joined(step, who) - got.keys()
        changed[who] = {
            **got,
            **{
                name: right[name]
                for name in names & right.keys()
                if not _without_connects(right[name])
            },
        }
    return {who: heard for who, heard in changed.items() if heard}


def has_joined(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
    """Whether a client asks for a namespace for which our server has let it in before."""
    step = steps[-1]
    return any(
        _connects(heard[who].get(name, []))
        for heard in before
        for who in heard
        for name in _joined(step, who)
    )


def _joined(step: Step | None, who: str) -> set[str]:
    """Return the namespaces that a client asks for in a step."""
    if not isinstance(step, Send) or str(step.client) != who:
        return set()
    packets = [one for one in step.packets if isinstance(one, str) and one.startswith("40/")]
    return {re.split("[?,]", one[2:], maxsplit=1)[0] for one in packets}


def _connects(texts: list[str]) -> int:
    return sum(text.startswith(_JOINED) for text in texts)


def _without_connects(texts: list[str]) -> list[str]:
    return [text for text in texts if not text.startswith(_JOINED)]


def damaged_payload(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Our decoder finds no length, or a packet that was cut; theirs goes on."""
    if not isinstance(step, Post):
        return ours
    binary = step.content_type == "application/octet-stream"
    decode = decode_binary_payload if binary else decode_text_payload
    try:
        list(decode(step.body))
    except RemoteProtocolError as error:
        is_stricter = "were due" in error.hint or "lacks" in error.hint
        is_ours = ours.get(str(step.client), {}).get("end") == ["CLOSE"]
        is_theirs = "end" not in theirs.get(str(step.client), {})
        return theirs if is_stricter and is_ours and is_theirs else ours
    return ours


def unasked_acks(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Empty acknowledgements that only ours has."""
    changed = {}
    for who, heard in ours.items():
        right = theirs.get(who, {}).get("acks", [])
        acks = _without_unasked(right, heard.get("acks", []), _asked_for(step, who))
        rest = {what: texts for what, texts in heard.items() if what != "acks"}
        changed[who] = {**rest, **({"acks": acks} if acks else {})}
    return {who: heard for who, heard in changed.items() if heard}


def _asked_for(step: Step | None, who: str) -> Counter[str]:
    """Return how acknowledgements begin that a client asks for in a step, and how many of each."""
    if not isinstance(step, Send) or str(step.client) != who:
        return Counter()
    asking = [_ASKING.match(one) for one in step.packets if isinstance(one, str)]
    return Counter(f"43{match[1]}[" for match in asking if match)


def _without_unasked(theirs: list[str], ours: list[str], asked: Counter[str]) -> list[str]:
    """Several events may ask by the same id: ours then answers no more of them than there are."""
    surplus = Counter[str]()
    for head in {one[:-1] for one in ours if _EMPTY_ACK.fullmatch(one)}:
        right, got = _beginning_with(head, theirs), _beginning_with(head, ours)
        surplus[head] = got - right if not right or got <= asked[head] else 0
    kept: list[str] = []
    for one in ours:
        if surplus[one[:-1]] > 0 and theirs[len(kept) : len(kept) + 1] != [one]:
            surplus[one[:-1]] -= 1
        else:
            kept.append(one)
    return kept


def _beginning_with(head: str, texts: list[str]) -> int:
    return sum(text.startswith(head) for text in texts)


_CLOSED = "end by WebSocket: close frame, no code"


def close_by_websocket(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Send | Probe):
        return ours
    if not any(packet[:1] in ("1", b"\x01") for packet in step.packets):
        return ours
    if isinstance(step, Probe):
        is_ours = lines_of(ours)[-1:] == [_CLOSED] and _CLOSED not in lines_of(theirs)
    else:
        is_ours = "close frame, no code" in ours.get(str(step.client), {}).get("end", [])
    return theirs if is_ours else ours


def last_events(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Ours hears more in each namespace, and nothing less."""
    if not isinstance(step, Send | Post) or step == Send(step.client, ()):
        return ours
    leaves = isinstance(step, Send) and any(str(one).startswith("41") for one in step.packets)
    if not leaves and not theirs.get(str(step.client), {}).get("end"):
        return ours
    for who in {*theirs, *ours}:
        right, got = theirs.get(who, {}), ours.get(who, {})
        if any(not _is_part(right.get(what, []), got.get(what, [])) for what in right):
            return ours
        if right.get("end") != got.get("end"):
            return ours
    return theirs


def first_events(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Ours hears more in namespaces that a client asks for, and nothing less."""
    changed = {}
    for who, heard in ours.items():
        asked = _joined(step, who)
        rest = {what: texts for what, texts in heard.items() if what != "acks"}
        for name in asked & heard.keys() & theirs.get(who, {}).keys():
            if _is_part(theirs[who][name], heard[name]):
                rest[name] = theirs[who][name]
        right = theirs.get(who, {}).get("acks", [])
        acks = [one for one in heard.get("acks", []) if one in right or not _is_of(asked, one)]
        changed[who] = {**rest, **({"acks": acks} if acks else {})}
    return {who: heard for who, heard in changed.items() if heard}


def _is_of(namespaces: set[str], ack: str) -> bool:
    return ack.startswith(tuple(f"43{name}," for name in namespaces))


def _is_part(some: list[str], all_of_it: list[str]) -> bool:
    rest = iter(all_of_it)
    return all(one in rest for one in some)


def _rewritten(
    alike: Callable[[str, str], bool],
) -> Callable[[Step | None, Observation, Observation], Observation]:
    """Return an explanation: packets of which both servers have one that is alike are the same."""

    def explain(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
        return {
            who: {
                what: _alike(theirs.get(who, {}).get(what, []), texts, alike)
                for what, texts in heard.items()
            }
            for who, heard in ours.items()
        }

    return explain


def _alike(theirs: list[str], ours: list[str], alike: Callable[[str, str], bool]) -> list[str]:
    if len(theirs) != len(ours):
        return ours
    return [
        right if right != got and alike(right, got) else got
        for right, got in zip(theirs, ours, strict=True)
    ]


def _parsed(text: str, *, ordered: bool, exact: bool) -> object:
    """Return the head of a packet and its JSON; `None` if it has none."""
    start = min((at for at in map(text.find, "[{") if at >= 0), default=-1)
    if not text.startswith("4") or start < 0:
        return None
    pairs = (lambda members: tuple(members)) if ordered else dict
    number = (lambda digits: digits) if exact else float
    try:
        data = json.loads(
            text[start:], object_pairs_hook=pairs, parse_int=number, parse_float=number
        )
    except ValueError:
        return None
    return text[:start], data


def _have_same(*, ordered: bool, exact: bool) -> Callable[[str, str], bool]:
    def alike(right: str, got: str) -> bool:
        parsed = _parsed(right, ordered=ordered, exact=exact)
        return parsed is not None and parsed == _parsed(got, ordered=ordered, exact=exact)

    return alike


numbers = _rewritten(_have_same(ordered=True, exact=False))
order_of_keys = _rewritten(_have_same(ordered=False, exact=True))


def unknown_namespace(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Refusals of namespaces whose names are written otherwise."""
    changed = dict(ours)
    for who, got in ours.items():
        right = theirs.get(who, {})
        written = [name for name in right if name not in got]
        sent = [name for name in got if name not in right]
        if len(written) != len(sent) or not sent:
            continue
        if all(right[name] == [f"44{name}{_INVALID}"] * len(right[name]) for name in written) and (
            all(got[name] == [f"44{name}{_INVALID}"] * len(got[name]) for name in sent)
        ):
            rest = {name: texts for name, texts in got.items() if name not in sent}
            changed[who] = {**rest, **{name: right[name] for name in written}}
    return changed


def space_for_id(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Send) or not _says(step, r"4[25].*? +[0-9\[]"):
        return ours
    right, got = theirs.get(str(step.client), {}), ours.get(str(step.client), {})
    return theirs if len(right.get("acks", [])) > len(got.get("acks", [])) else ours


def long_id(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Send) or not _says(step, r"4[2356].*?\d{20}"):
        return ours
    return theirs if "end" in ours.get(str(step.client), {}) else ours


def _says(step: Send, pattern: str) -> bool:
    return any(isinstance(one, str) and re.match(pattern, one) for one in step.packets)


@answered
def other_upgrade(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    if not isinstance(step, Probe) or "websocket" in dict(step.headers).get("Upgrade", "websocket"):
        return False
    is_theirs = theirs[:-1] == ["status 400", "content-type: text/html"]
    is_theirs = is_theirs and theirs[-1] in ("Bad Request", "Invalid Upgrade header")
    return is_theirs and "status 400" in ours and '{"code":3,' in ours[-1]


def takeover(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Probe) or "sid={sid}" not in step.query:
        return ours
    is_ours = "0" not in ours and lines_of(ours)[-1] == "end by WebSocket: close frame, no code"
    is_theirs = theirs.get("0", {}).get("end", []) in ([], ["close frame, no code"])
    return theirs if is_ours and is_theirs else ours


def poll_behind_upgrade(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Probe) or "5" not in step.packets:
        return ours
    is_theirs = theirs.get("0", {}).get("end") == ["CLOSE"]
    end = ours.get("0", {}).get("end", [""])[0]
    return theirs if is_theirs and end.startswith('a poll was answered 400 {"code":3,') else ours
