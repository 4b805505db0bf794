"""What nobody should send: where socket.io-parser and we accept, refuse and read alike, or not."""

import re
from collections.abc import Callable
from typing import NamedTuple

import pytest
from hypothesis import given, strategies as st

from tests.protocol.oracle import Answer, Oracle, number_view, socket_view
from tests.support.examples import examples
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.testing import strategies as sio

pytestmark = pytest.mark.node

Messages = list[str | bytes]

PENDING = ["pending"]


def ours(messages: Messages) -> tuple[list[Answer], str]:
    """The outcome of each message up to the first error, and that error's hint."""
    decoder = Decoder()
    seen: list[Answer] = []
    for message in messages:
        try:
            packet = decoder.feed(message)
        except RemoteProtocolError as error:
            return [*seen, ["error", error.args[0]]], error.hint
        seen.append(PENDING if packet is None else socket_view(packet))
    return seen, ""


def theirs(oracle: Oracle, messages: Messages) -> list[Answer]:
    """The same in JavaScript; a packet that it ignores is to us as one not whole yet."""
    seen = oracle.ask("decodeSocketMessages", messages)
    return [PENDING if answer == ["ignored"] else number_view(answer) for answer in seen]


class Disagreement(NamedTuple):
    """The message about which the two disagree first, and what they say of it."""

    message: str | bytes
    ours: Answer
    hint: str
    theirs: Answer


def disagreement(oracle: Oracle, messages: Messages) -> Disagreement | None:
    our, hint = ours(messages)
    their = theirs(oracle, messages)
    for message, mine, yours in zip(messages, our, their, strict=False):
        if mine != yours:
            return Disagreement(message, mine, hint, yours)
    assert our == their
    return None


def we_refuse(message: str, hint: str) -> Callable[[Disagreement], bool]:
    """We raise an error with these words, patterns both, and they do not."""

    def explains(seen: Disagreement) -> bool:
        return (
            seen.ours[0] == "error"
            and seen.ours != seen.theirs
            and re.search(message, seen.ours[1]) is not None
            and re.search(hint, seen.hint) is not None
        )

    return explains


def they_read(head: str) -> Callable[[Disagreement], bool]:
    """They find something in what matches this pattern where we find nothing."""
    return lambda seen: isinstance(seen.message, str) and re.match(head, seen.message) is not None


class Difference(NamedTuple):
    """A way in which we mean to differ: what they do, why we do not, and messages to show it."""

    reason: str
    explains: Callable[[Disagreement], bool]
    examples: tuple[Messages, ...]


# What Number() takes for 0.
BLANK = "[\t-\r \xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff]"
HEAD = "[0-6]([0-9]+-)?(/[^,]*,)?"

OF_EITHER = (
    Difference(
        "They take an id of any length, and round it; an answer would go to another id.",
        we_refuse("invalid payload", "an id of over 19 digits"),
        (['212345678901234567890["x"]'],),
    ),
    Difference(
        "They find no attachment with the number 0.5, and put `undefined` there.",
        we_refuse("illegal attachments", r"placeholder number \d+\.\d+"),
        (['51-["x",{"_placeholder":true,"num":0.5}]', b""],),
    ),
    Difference(
        "They take a number that is too large, which they read as Infinity, as an event's name.",
        we_refuse("invalid payload", r"begins with -?inf"),
        (["2[" + "1" * 5000 + "]"], ["2[1e400]"], ["2[-1e400]"]),
    ),
)
"""Those of both parsers, of Socket.IO 4 and of 5."""

DIFFERENCES = (
    *OF_EITHER,
    Difference(
        "They read white space as the type 0, CONNECT; we ignore it as any other unknown type.",
        they_read(BLANK),
        ([" "], ["\n/a,"], ["\ufeff{}"]),
    ),
    Difference(
        "They read white space in front of the JSON, or inside of an id, as digits. An event that"
        " did not ask for it would get an acknowledgement. JSON may begin with white space.",
        they_read(HEAD + "[0-9]*" + BLANK),
        (['2 ["x"]'], ['2/a, ["x"]'], ["3 "], ["41 2"], ["0\xa0"]),
    ),
    Difference(
        "They read the number of attachments with Number(): blanks, signs, 1.0, 1e0, 0x1.",
        we_refuse("Illegal attachments", r"in ['\"][56](?![0-9]+-)"),
        (['5 1-["x"]'], ["5 1-['"], ['5+1-["x"]'], ['51.0-["x"]'], ['51e0-["x"]'], ['50x1-["x"]']),
    ),
    Difference(
        "They call a number of attachments too large that is too long for us; both refuse it.",
        we_refuse("Illegal attachments", r"in ['\"][56][0-9]{9}"),
        (["5" + "1" * 20 + '-["x"]'],),
    ),
    Difference(
        "They get no text at all for an empty message, and fail with a TypeError.",
        lambda seen: seen.message == "" and seen.ours[0] == seen.theirs[0] == "error",
        ([""],),
    ),
    Difference(
        "They nest as deep as memory reaches; their clients send some 4,000 levels at most.",
        we_refuse("invalid payload", "nested more than 10000 levels deep"),
        (["3" + "[" * 100_000 + "]" * 100_000], ["4" + '{"":' * 100_000 + "1" + "}" * 100_000]),
    ),
)

HEADS = ["0", "1", "2", "3", "4", "51-", "52-", "61-", "6 1-", "51.0-", "510-", "511-", " ", "7"]
NAMESPACES = ["", "/,", "/a,", "/a", "/a?b=c,"]
IDS = ["", "", "1", "007", " 1", "1 ", "12345678901234567890", "9007199254740993"]
DATA = [
    *('["x"]', "[1]", "[1.5e300]", "[-0]", "[1e400]", "[]", "{}", '"s"', "null", "true", "1.5"),
    *('["x",%s]' % ("1" * 5000), '["x",-%s]' % ("9" * 4301)),
    *("[null]", '[""]', '[["x"]]', '["x",NaN]', '["x",01]', '["x"]z', '["x",]', '["x" ] ', "[+1]"),
    *('["\\ud800"]', '["\\u12g4"]', '["\\x"]', "['x']", '["\u2028\x7f"]', '["x\x01"]', "-Infinity"),
    *('["x",9007199254740993]', '["x",-1E-2]', '["x",{"a":1,"a":2}]', "[.5]", "[1.]", '["x",.1]'),
    *('["x",{"_placeholder":true,"num":0}]', '["x",{"num":1,"_placeholder":true}]'),
    *('["x",{"_placeholder":true,"num":0.5}]', '["x",{"_placeholder":true,"num":"0"}]'),
    *(
        '["x",{"_placeholder":true}]',
        '["x",{"_placeholder":1}]',
        '["x",{"_placeholder":[],"num":0}]',
    ),
    *('[{"_placeholder":true,"num":0}]', '["x",{"__proto__":{"_placeholder":true,"num":-0.0}}]'),
]
TOKENS = [*'0123456789/,-[]{}":\\ .eE+\n\xa0', "_placeholder", "true", "null", "num", "\U0001f600"]

_near = st.tuples(*map(st.sampled_from, (HEADS, NAMESPACES, IDS, ["", *DATA]))).map("".join)
_tokens = st.lists(st.sampled_from(TOKENS), max_size=10).map("".join)
_damaged = sio.garbage().map(lambda data: data.decode("utf-8", "replace"))
GARBAGE = st.lists(
    st.one_of(_near, _near, _tokens, _damaged, st.binary(max_size=2)), min_size=1, max_size=4
)


@given(messages=GARBAGE)
@examples(500)
def test_garbage(oracle: Oracle, messages: Messages) -> None:
    seen = disagreement(oracle, messages)
    assert seen is None or any(difference.explains(seen) for difference in DIFFERENCES)


@pytest.mark.parametrize(
    ("difference", "messages"),
    [(difference, example) for difference in DIFFERENCES for example in difference.examples],
)
def test_difference(oracle: Oracle, difference: Difference, messages: Messages) -> None:
    seen = disagreement(oracle, messages)
    assert seen is not None
    assert difference.explains(seen)
