"""The model of who hears what."""

import pytest
from hypothesis import given

from trio_sio.testing.conversations import NAMESPACES, VERBS, Conversation, Heard, Model, Say, Turn
from trio_sio.testing.strategies import conversations


def heard_by(number: int, model: Model, client: int, *says: Say) -> Heard:
    """What one client hears when one, perhaps another, says this."""
    return model.hear(Turn(client, says))[number]


def test_an_echo_is_for_the_speaker() -> None:
    model = Model(2)
    says = Say("echo", ("a", b"b")), Say("echo", (), "/chat")
    assert heard_by(0, model, 0, *says).events == {"/": [["echo", "a", b"b"]], "/chat": [["echo"]]}
    assert heard_by(1, model, 0, *says) == Heard()


def test_acknowledgements_have_the_numbers_of_the_events() -> None:
    says = Say("echo"), Say("ack", (1,)), Say("join", ("hall",)), Say("leave", ("hall",))
    assert heard_by(0, Model(1), 0, *says).answers == {1: [1], 2: [], 3: []}


def test_a_burst_counts() -> None:
    events = heard_by(0, Model(1), 0, Say("burst", (3,))).events
    assert events == {"/": [["number", 0], ["number", 1], ["number", 2]]}


@pytest.mark.parametrize(("verb", "speaker_hears"), [("tell", True), ("tell others", False)])
def test_members_hear(verb: str, speaker_hears: bool) -> None:
    model = Model(3)
    for client in (0, 1):
        model.hear(Turn(client, (Say("join", ("hall",)),)))
    heard = model.hear(Turn(0, (Say(verb, ("hall", 1)),)))
    told = {"/": [["told", 1]]}
    assert [one.events for one in heard] == [told if speaker_hears else {}, told, {}]


def test_a_stranger_tells_members() -> None:
    model = Model(2)
    model.hear(Turn(0, (Say("join", ("hall",)),)))
    heard = model.hear(Turn(1, (Say("tell", ("hall",)),)))
    assert [one.events for one in heard] == [{"/": [["told"]]}, {}]


def test_rooms_belong_to_namespaces() -> None:
    model = Model(1)
    says = Say("join", ("hall",)), Say("tell", ("hall", 1), "/chat")
    assert heard_by(0, model, 0, *says).events == {}


def test_joining_and_leaving_take_effect_in_the_turn() -> None:
    join, tell, leave = Say("join", ("hall",)), Say("tell", ("hall",)), Say("leave", ("hall",))
    assert heard_by(0, Model(1), 0, tell, join, tell, leave, tell).events == {"/": [["told"]]}


@given(conversations(("polling", "websocket")))
def test_conversations_are_about_what_the_application_has(conversation: Conversation) -> None:
    model = Model(len(conversation.transports))
    assert set(conversation.transports) <= {"polling", "websocket"}
    for turn in conversation.turns:
        assert 0 <= turn.client < len(conversation.transports)
        assert {say.verb for say in turn.says} <= set(VERBS)
        assert {say.namespace for say in turn.says} <= set(NAMESPACES)
        answers = model.hear(turn)[turn.client].answers
        assert len(answers) == sum(say.asks for say in turn.says)
