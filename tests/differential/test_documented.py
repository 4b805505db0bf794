"""Each documented difference is there: in its example, both servers do what the table says."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.support.comparison import DIFFERENCES, Pair, servers
from trio_sio.conformance.comparison.comparison import Difference, judge
from trio_sio.testing.scripts import Request, Script, Send

PAGE = Path(__file__).parents[2] / "docs" / "differences.md"


HEADINGS = {4: "## Clients of 1.x and 2.x", 5: "## Clients of 3.x and 4.x"}
PROTOCOLS = tuple(DIFFERENCES)
OF_EACH = [(protocol, one) for protocol in PROTOCOLS for one in DIFFERENCES[protocol]]


@pytest.fixture(scope="module")
def pairs() -> Iterator[Mapping[int, Pair]]:
    with servers(4, patience=2) as of_4, servers(5, patience=2) as of_5:
        yield {4: of_4, 5: of_5}


@pytest.mark.node
@pytest.mark.slow
@pytest.mark.parametrize(
    ("protocol", "difference"), OF_EACH, ids=[f"{number}-{one.name}" for number, one in OF_EACH]
)
def test_both_servers_do_what_the_table_says(
    protocol: int, difference: Difference, pairs: Mapping[int, Pair]
) -> None:
    comparison = pairs[protocol].compare(difference.example)
    assert comparison.disagreement is None
    assert difference.name in comparison.met


@pytest.mark.node
@pytest.mark.slow
def test_a_preflight_for_the_session_of_a_websocket(pairs: Mapping[int, Pair]) -> None:
    """socket.io 4.8.4 never answers it."""
    script = Script(("websocket",), (Request("OPTIONS", "EIO=4&transport=websocket&sid={sid}"),))
    comparison = pairs[5].compare(script)
    assert comparison.disagreement is None
    assert "preflights" in comparison.met


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_names_are_unique(protocol: int) -> None:
    assert len({one.name for one in DIFFERENCES[protocol]}) == len(DIFFERENCES[protocol])


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_the_page_has_the_table(protocol: int) -> None:
    section = PAGE.read_text("utf-8").partition(f"{HEADINGS[protocol]}\n")[2].partition("\n## ")[0]
    rows = [
        f"| {one.name} | {one.reference} | {one.other} | {one.reason} |"
        for one in DIFFERENCES[protocol]
    ]
    assert re.findall(r"^\| .* \|$", section, re.MULTILINE)[2:] == rows


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_nothing_is_explained_where_nothing_differs(protocol: int) -> None:
    """No explanation makes a difference of what is the same."""
    heard = {
        "0": {"/": ['42["a",1]'], "end": ["CLOSE"]},
        "others": {"responses": ["status 400", ""]},
    }
    for one in DIFFERENCES[protocol]:
        observations = [{}, *[heard] * len(one.example.steps)]
        judged = judge(one.example, observations, observations, DIFFERENCES[protocol])
        assert judged.met == frozenset()


@pytest.mark.parametrize(("protocol", "one"), OF_EACH)
def test_what_is_not_documented_is_told(protocol: int, one: Difference) -> None:
    """The same examples, but our server does something else than the table says."""
    steps = one.example.steps
    right = [{}, *[{"0": {"/": ["right"]}}] * len(steps)]
    wrong = [{}, *[{"0": {"/": ["wrong"]}}] * len(steps)]
    assert judge(one.example, right, wrong, DIFFERENCES[protocol]).disagreement is not None


def test_nothing_else_is_heard_behind_a_connect() -> None:
    script = Script(("polling",), (Send(0, ("40/chat", '42/chat,["echo"]', '42/chat,1["ack"]')),))
    joined = {"/chat": ["40/chat,"]}
    whole = {"/chat": ["40/chat,", '42/chat,["echo"]'], "acks": ["43/chat,1[]"]}

    def differ(right: dict[str, list[str]], got: dict[str, list[str]]) -> bool:
        judged = judge(script, [{}, {"0": right}], [{}, {"0": got}], DIFFERENCES[4])
        return judged.disagreement is not None

    assert not differ(joined, whole)
    assert differ(whole, joined)
    assert differ(joined, {"/chat": ['42/chat,["echo"]']})
    assert differ(joined, {**whole, "/": ['42["echo"]']})
    assert differ(joined, {**whole, "acks": ["431[5]"]})


def acknowledged(theirs: str, ours: str, *packets: str) -> bool:
    """Whether these acknowledgements of one client's packets are the same but for differences."""
    script = Script(("polling",), (Send(0, packets),))
    right, got = ([{}, {"0": {"acks": texts.split()}}] for texts in (theirs, ours))
    return judge(script, right, got, DIFFERENCES[4]).disagreement is None


def test_events_may_ask_for_acknowledgements_by_the_same_id() -> None:
    """socket.io 2.5.1 answers "ack" alone, and trio_sio "echo" as well."""
    both = ('420["echo"]', '420["ack"]')
    assert acknowledged("430[]", "430[] 430[]", *both)
    assert acknowledged("430[5]", "430[] 430[5]", *both)
    assert acknowledged("430[5]", "430[5] 430[]", *both)
    assert acknowledged("430[] 431[5]", "430[] 430[] 431[5]", *both, '421["ack",5]')
    assert acknowledged("43/a,0[]", "43/a,0[] 43/a,0[]", '42/a,0["echo"]', '42/a,0["ack"]')
    assert not acknowledged("430[]", "430[] 430[]", '420["ack"]')  # answered twice
    assert not acknowledged("430[]", "430[] 430[] 430[]", *both)
    assert not acknowledged("430[5]", "430[] 430[]", *both)
    assert not acknowledged("430[] 430[]", "430[]", *both)


@pytest.mark.parametrize(("protocol", "answer"), [(4, "40/chat,"), (5, '40/chat,{"sid":"<id>"}')])
def test_who_asks_for_a_namespace_first_is_to_be_answered(protocol: int, answer: str) -> None:
    script = Script(("polling",), (Send(0, ("40/chat",)),))
    heard = {"0": {"/chat": [answer]}}
    judged = judge(script, [{}, heard], [{}, {}], DIFFERENCES[protocol])
    assert judged.disagreement is not None


@pytest.mark.parametrize("packet", ['42["echo"]', "47", '42/never,["echo"]', "40[1]"])
def test_who_is_not_late_but_wrong_is_to_be_closed(packet: str) -> None:
    """In protocol 5: what a client sends by no race ends its session, or is a defect."""
    script = Script(("polling",), (Send(0, ("40",)), Send(0, (packet,))))
    joined = {"0": {"/": ['40{"sid":"<id>"}']}}
    ended = {"0": {"end": ["CLOSE"]}}
    judged = judge(script, [{}, joined, ended], [{}, joined, {}], DIFFERENCES[5])
    assert judged.disagreement is not None
