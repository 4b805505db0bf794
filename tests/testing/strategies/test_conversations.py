"""Conversations: what is drawn can be played, and is made simple."""

from collections.abc import Callable

import pytest
from hypothesis import given

from tests.support.drawn import is_drawn, simplest
from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import strategies as sio
from trio_sio.testing.conversations import NAMESPACES, VERBS, Conversation, Say, Turn

TRANSPORTS = ("polling", "websocket")


@given(conversation=sio.conversations(TRANSPORTS))
def test_conversations(conversation: Conversation) -> None:
    assert conversation.turns
    assert set(conversation.transports) <= set(TRANSPORTS)
    for turn in conversation.turns:
        assert turn.client < len(conversation.transports)
        assert turn.says
        for say in turn.says:
            assert say.namespace in NAMESPACES
            assert encode(Packet(PacketType.EVENT, say.namespace, [say.verb, *say.args]))


@pytest.mark.slow
@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_is_drawn(verb: str) -> None:
    assert is_drawn(sio.says(), lambda say: say.verb == verb)


def has(verb: str) -> Callable[[Conversation], bool]:
    return lambda talk: any(say.verb == verb for turn in talk.turns for say in turn.says)


def two_clients_speak(talk: Conversation) -> bool:
    return {turn.client for turn in talk.turns} == {0, 1}


ECHO = Turn(0, (Say("echo"),))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (lambda talk: True, Conversation(("polling",), (ECHO,))),
        (has("burst"), Conversation(("polling",), (Turn(0, (Say("burst", (0,)),)),))),
        (has("tell"), Conversation(("polling",), (Turn(0, (Say("tell", ("kitchen",)),)),))),
        (
            two_clients_speak,
            Conversation(("polling", "polling"), (ECHO, Turn(1, (Say("echo"),)))),
        ),
    ],
)
def test_simplest(condition: Callable[[Conversation], bool], expected: Conversation) -> None:
    assert simplest(sio.conversations(TRANSPORTS), condition) == expected
