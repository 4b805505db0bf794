"""Takes out documented differences between socket.io 4.8.4 and trio_sio, as `explanations` does."""

import json
import re
from collections.abc import Iterator, Sequence

from tests.differential.explanations import CORS, answered, lines_of, with_lines
from trio_sio.conformance.comparison.heard import Head, Heard, socketio_head
from trio_sio.conformance.comparison.player import Observation
from trio_sio.testing.scripts import Probe, Request, Send, Step, Upgrade

_CONNECT, _DISCONNECT = "0", "1"
_OF_MEMBERS = "12356"
"""Types of packets that only who is in a namespace sends."""

_RESERVED = re.compile(
    r"4[25](\d+-)?(/[^,]*,)?\d*\["
    r'"(connect|connect_error|disconnect|disconnecting|newListener|removeListener)"[,\]]'
)
_GOOD_CONNECT = re.compile(r"40(/[^,]*)?,?\d*(\{.*\})?", re.DOTALL)
_HANDSHAKE = re.compile(r"Missing or invalid Sec-WebSocket-(Key|Version) header")


def why_a_post_is_refused(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """The same status, and a sentence behind it where theirs has nothing."""
    told = lines_of(theirs)
    refusals = ("a POST was answered 413 ", "a POST was answered 400 ")
    if len(told) != 1 or told[0] not in refusals:
        return ours
    lines = lines_of(ours)
    return with_lines(ours, told) if len(lines) == 1 and lines[0].startswith(told[0]) else ours


@answered
def preflight(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    if not isinstance(step, Request) or step.method != "OPTIONS" or not theirs:
        return False
    is_allowed = ours[-2:] == [f"{CORS}headers: Content-Type", ""]
    return (
        is_allowed
        and ours[0] in ("status 200", "status 204")
        and theirs[0] in ("status 400", "status 500", "no answer")
    )


def of_2(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Theirs refuses the revision, a WebSocket by bytes of HTTP; ours opens a session, or refuses.

    A WebSocket is refused by both; ours does it before it is one.
    """
    if not isinstance(step, Request | Probe) or re.search("EIO=(4|%34)", step.query):
        return ours
    right, got = lines_of(theirs), lines_of(ours)
    if not right or not got:
        return ours
    is_refused = "Unsupported protocol version" in right[-1]
    is_broken = right[:1] == ["status 101"] and right[-1].startswith("end by WebSocket: ")
    if is_refused:
        return theirs if got[:1] in (["status 200"], ["status 101"]) and _opens_3(got) else ours
    is_ours = _opens_3(got) or "Unsupported protocol version" in got[-1]
    return theirs if is_broken and is_ours else ours


def _opens_3(lines: list[str]) -> bool:
    """Whether a session of Engine.IO 3 is opened."""
    return any("0{" in line and "pingInterval" in line and "maxPay" not in line for line in lines)


def parameter_twice(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Request | Probe) or step.query.count("transport=") < 2:
        return ours
    lines = lines_of(ours)
    is_refused = any("Transport unknown" in line for line in lines[-1:])
    if isinstance(step, Request) and step.method == "HEAD":
        is_refused = lines[:1] == ["status 400"]
    return theirs if is_refused else ours


@answered
def jsonp(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    """Theirs wraps what ours says as it is."""
    if not isinstance(step, Request) or "j=" not in step.query or not theirs or not ours:
        return False
    called = re.fullmatch(r"___eio\[\d*\]\((.*)\);", theirs[-1])
    return called is not None and [*theirs[:-1], json.loads(called[1])] == ours


@answered
def websocket_handshake(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    is_theirs = len(theirs) == 3 and _HANDSHAKE.fullmatch(theirs[-1]) is not None
    is_ours = ours[:2] == ["status 400", "content-type: text/html"]
    return isinstance(step, Probe) and is_theirs and is_ours


@answered
def revision_first(step: Step | None, theirs: list[str], ours: list[str]) -> bool:
    """Both refuse the request; ours looks at its revision first."""
    is_ours = ours[:1] == ["status 400"] and "Unsupported protocol version" in ours[-1]
    is_wrong = isinstance(step, Request | Probe) and not re.search("EIO=(4|%34|3)", step.query)
    return is_wrong and is_ours and theirs[:1] == ["status 400"]


def pings_first(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    if not isinstance(step, Probe) or step.packets[:1] != ("2",):
        return ours
    is_theirs = lines_of(theirs)[-1:] == ["end by WebSocket: close frame, no code"]
    return theirs if is_theirs and "engine by WebSocket: 3" in lines_of(ours) else ours


def rounded_id(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Acknowledgements of which both servers have one, whose ids are the same when rounded."""
    changed = dict(ours)
    for who, heard in ours.items():
        right, got = theirs.get(who, {}).get("acks", []), heard.get("acks", [])
        if right != got and list(map(_with_rounded, right)) == list(map(_with_rounded, got)):
            changed[who] = {**heard, "acks": right}
    return changed


def _with_rounded(ack: str) -> str:
    return re.sub(r"(?<=[36,])\d{16,}(?=\[)", lambda digits: f"{float(digits[0]):.0f}", ack)


# -- namespaces ------------------------------------------------------------------------------


def too_strict(step: Step | None, theirs: Observation, ours: Observation) -> Observation:
    """Theirs ends the session of the client that has sent something, ours does not."""
    if not isinstance(step, Send | Upgrade):
        return ours
    who = str(step.client)
    return theirs if _ends(theirs, who) and not _ends(ours, who) else ours


def _ends(heard: Observation, who: str) -> bool:
    return "end" in heard.get(who, {})


def is_for_others(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
    """Whether a packet is for a namespace that the client has asked for, and may not be in."""
    client = _Client(steps, before)
    return any(
        head.kind in _OF_MEMBERS and head.namespace in client.asked - client.inside
        for head, _ in client.go_on(steps[-1])
    )


def is_joined(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
    """Whether a client asks in good form for a namespace for which it has asked before."""
    client = _Client(steps, before)
    return any(
        head.kind == _CONNECT and head.namespace in client.asked and _GOOD_CONNECT.fullmatch(text)
        for head, text in client.go_on(steps[-1])
    )


def is_reserved(steps: Sequence[Step | None], before: Sequence[Observation]) -> bool:
    """Whether an event has a name that belongs to the library, and is good otherwise."""
    return any(_RESERVED.match(text) for _, text in _packets(steps[-1]))


class _Client:
    """Where the client is whose turn it is, as our server has it.

    Attributes:
        asked: the namespaces for which it has asked.
        inside: those in which it is for sure.
    """

    def __init__(self, steps: Sequence[Step | None], before: Sequence[Observation]) -> None:
        self.asked: set[str] = set()
        self.inside: set[str] = set()
        step = steps[-1]
        if not isinstance(step, Send | Upgrade):
            return
        for earlier, heard in zip(steps[:-1], before, strict=True):
            if isinstance(earlier, Send | Upgrade) and earlier.client == step.client:
                self._say(earlier)
            self._hear(heard.get(str(step.client), {}), earlier)

    def _say(self, step: Send | Upgrade) -> None:
        for _ in self.go_on(step):
            pass

    def _hear(self, heard: Heard, step: Step | None) -> None:
        left = {head.namespace for head, _ in _packets(step) if head.kind == _DISCONNECT}
        for name, texts in heard.items():
            ends = [text[1] for text in texts if text.startswith(("40", "41"))]
            if ends[-1:] == [_CONNECT] and name not in left:
                self.inside.add(name)
            elif ends:
                self.inside.discard(name)

    def go_on(self, step: Step | None) -> Iterator[tuple[Head, str]]:
        """Yield the packets of Socket.IO in a step; behind each, the client is where it led."""
        for head, text in _packets(step):
            yield head, text
            if head.kind == _CONNECT:
                self.asked.add(head.namespace)
            elif head.kind == _DISCONNECT or '["kick"' in text:
                self.inside.discard(head.namespace)
            elif '["close"' in text:
                self.inside.clear()


def _packets(step: Step | None) -> Iterator[tuple[Head, str]]:
    packets = step.packets if isinstance(step, Send) else ()
    for packet in step.between if isinstance(step, Upgrade) else packets:
        head = socketio_head(packet, protocol=5)
        if head is not None:
            yield head, str(packet)
