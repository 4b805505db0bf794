"""What nobody should send in Socket.IO 5: where socket.io-parser 4.2.7 and we differ, and why."""

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import Answer, Oracle, number_view, socket_view
from tests.protocol.socketio.test_javascript_garbage import (
    BLANK,
    DATA,
    HEAD,
    IDS,
    OF_EITHER,
    TOKENS,
    Difference,
    Disagreement,
    Messages,
    they_read,
    we_refuse,
)
from tests.support.examples import examples
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder5
from trio_sio.protocol.socketio.packet import JSON, PLAIN_OF, RESERVED_EVENTS, Packet
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

ERROR = "error"


def ours(messages: Messages) -> tuple[list[Answer], str]:
    """The outcome of each message up to the first error, and that error's hint."""
    decoder = Decoder5()
    seen: list[Answer] = []
    for message in messages:
        try:
            packet = decoder.feed(message)
        except RemoteProtocolError as error:
            return [*seen, [ERROR, error.args[0]]], error.hint
        seen.append(["pending"] if packet is None else socket_view(_called_plain(packet)))
    return seen, ""


def _called_plain(packet: Packet) -> Packet:
    kind = PLAIN_OF.get(packet.type, packet.type)
    return Packet(kind, packet.namespace, packet.data, packet.id)


def disagreement(oracle: Oracle, messages: Messages) -> Disagreement | None:
    """Return the first one; how an error is called does not matter."""
    our, hint = ours(messages)
    their = [number_view(answer) for answer in oracle.ask("decodeSocketMessages5", messages)]
    for message, mine, yours in zip(messages, our, their, strict=False):
        if mine != yours and not mine[0] == yours[0] == ERROR:
            return Disagreement(message, mine, hint, yours)
    assert len(our) == len(their)
    return None


def they_refuse_what_is_ignored_later(seen: Disagreement) -> bool:
    """They refuse an event with a reserved name; we ignore it, in the router."""
    data = seen.ours[3] if seen.ours[0] == "packet" else _begun_data(seen.message)
    name = data[0] if isinstance(data, list) and data else None
    return bool(seen.theirs[0] == ERROR) and name in {*RESERVED_EVENTS, "connect_error"}


def _begun_data(message: str | bytes) -> JSON:
    """Return what a packet carries whose attachments have not come."""
    decoder = Decoder5()
    try:
        decoder.feed(message)
    except RemoteProtocolError:
        return None
    return None if decoder.pending is None else decoder.pending.data


def we_forget_its_id(seen: Disagreement) -> bool:
    """The id of a CONNECT means nothing."""
    return bool(seen.ours[:4] == seen.theirs[:4]) and seen.theirs[1] == ("number", 0.0)


def they_refuse_refusals_of(seen: Disagreement) -> bool:
    """We refuse a refusal by its type; they decode it, and their server closes then."""
    return bool(seen.ours[0] == ERROR) and seen.theirs[:2] == ["packet", ("number", 4.0)]


DIFFERENCES = (
    *OF_EITHER,
    Difference(
        "They read white space as the type 0, CONNECT.",
        they_read(BLANK),
        ([" "], ["\n/a,"], ["\ufeff{}"]),
    ),
    Difference(
        "They read white space in front of the JSON, or inside of an id, as digits. JSON may begin"
        " with white space.",
        they_read(HEAD + "[0-9]*" + BLANK),
        (['2 ["x"]'], ['2/a, ["x"]'], ["3 "]),
    ),
    Difference(
        "They read the number of attachments with Number(): blanks, signs, 1.0, 1e0, 0x1.",
        we_refuse("Illegal attachments", r"in ['\"][56](?![0-9]+-)"),
        (['5 1-["x"]'], ['5+1-["x"]'], ['51.0-["x"]'], ['51e0-["x"]'], ['50x1-["x"]']),
    ),
    Difference(
        "They nest as deep as memory reaches; their clients send some 4,000 levels at most.",
        we_refuse("invalid payload", "nested more than 10000 levels deep"),
        (["3" + "[" * 100_000 + "]" * 100_000],),
    ),
    Difference(
        "They refuse an event with a reserved name; here it is ignored, as from a client of 2.x.",
        they_refuse_what_is_ignored_later,
        (
            ['2["connect"]'],
            ['2["disconnect",1]'],
            ['2["connect_error"]'],
            ['51-["connect"]'],
            ['52-/a,1["disconnecting",{"_placeholder":true,"num":0}]'],
        ),
    ),
    Difference(
        "They decode a refusal, which only servers send, and close the connection after that.",
        they_refuse_refusals_of,
        (['4"no"'], ['4{"message":"no"}']),
    ),
    Difference("They keep the id of a CONNECT, which means nothing.", we_forget_its_id, (["01"],)),
)

HEADS = ["0", "0", "1", "2", "3", "4", "51-", "52-", "61-", "6 1-", "51.0-", "510-", "511-", "7"]
NAMESPACES = ["", "/,", "/a,", "/a", "/a?b=c,"]
MORE = [
    '{"sid":"x"}',
    '{"a":',
    '{"a":1}x',
    '["connect"]',
    '["error",1]',
    '["connect_error"]',
    "[[]]",
]

_near = st.tuples(*map(st.sampled_from, (HEADS, NAMESPACES, IDS, ["", *DATA, *MORE]))).map("".join)
_tokens = st.lists(st.sampled_from(TOKENS), max_size=10).map("".join)
_damaged = sio.garbage(version=4).map(lambda data: data.decode("utf-8", "replace"))
GARBAGE = st.lists(
    st.one_of(_near, _near, _tokens, _damaged, st.binary(max_size=2)), min_size=1, max_size=4
)


@given(messages=GARBAGE)
@examples(500)
def test_garbage(oracle: Oracle, messages: Messages) -> None:
    seen = disagreement(oracle, messages)
    assert seen is None or any(difference.explains(seen) for difference in DIFFERENCES), seen


@pytest.mark.parametrize(
    ("difference", "messages"),
    [(difference, example) for difference in DIFFERENCES for example in difference.examples],
)
def test_difference(oracle: Oracle, difference: Difference, messages: Messages) -> None:
    seen = disagreement(oracle, messages)
    assert seen is not None
    assert difference.explains(seen)
