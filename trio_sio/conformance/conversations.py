"""Plays generated conversations to the server, and compares what clients hear with the model."""

from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import cycle

import trio
from hypothesis import HealthCheck, Phase, given, seed as seeded, settings
from hypothesis.errors import Flaky

from trio_sio.conformance.area import Check
from trio_sio.conformance.client import Client, open_client
from trio_sio.conformance.runner import LONGEST, what_is_wrong
from trio_sio.conformance.target import Target
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing.clients.expectation import Unexpected, expect
from trio_sio.testing.clients.transports import Access
from trio_sio.testing.conversations import NAMESPACES, Conversation, Heard, Model, Turn
from trio_sio.testing.strategies import conversations

_SYNC = 1_000_000
"""The id of the acknowledgement behind which a client has heard everything."""


def conversation_check(examples: int, seed: int) -> Check:
    """Return the check that plays this many conversations, which the seed chooses.

    A conversation at which the server fails is made as short as possible.

    Args:
        examples: how many conversations.
        seed: the same one chooses the same conversations.
    """

    async def run(target: Target) -> None:
        await trio.to_thread.run_sync(_search, target, examples, seed)

    sentence = f"Clients of {examples} generated conversations hear what they must (seed {seed})."
    return Check("conversations/generated", sentence, run, has_parts=True)


def _search(target: Target, examples: int, seed: int) -> None:
    @seeded(seed)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(conversations(protocol=target.protocol))
    def attempt(conversation: Conversation) -> None:
        trio.from_thread.run(play, target, conversation)

    try:
        attempt()
    except Flaky as error:
        raise Unexpected(f"a conversation failed, but not each time: {error}") from error


async def play(target: Access, conversation: Conversation, *others: Access) -> None:
    """Play a conversation.

    Args:
        target: the way to the server of the first client.
        conversation: what is played.
        others: those of the next ones, such as of another revision; then it is `target` again.

    Raises:
        Unexpected: a client heard something else than the model says, or it took as long as no
            check may; tells the conversation.
    """
    limit = target.patience * LONGEST
    accesses = (target, *others)
    if message := await what_is_wrong(partial(_play, accesses, conversation), limit):
        shown = "\n        ".join(map(str, conversation.turns))
        raise Unexpected(f"{message}; in {conversation.transports}:\n        {shown}")


async def _play(accesses: Sequence[Access], conversation: Conversation) -> None:
    model = Model(len(conversation.transports))
    async with AsyncExitStack() as stack:
        clients = []
        for how, target in zip(conversation.transports, cycle(accesses)):
            client = await stack.enter_async_context(open_client(target, how))
            for namespace in NAMESPACES[1:]:
                await client.join_namespace(namespace)
            clients.append(client)
        suffix = clients[0].sid  # so that rooms of an earlier conversation are others
        for turn in conversation.turns:
            await _say(clients[turn.client], turn, suffix)
            await _compare(clients, turn, model.hear(turn))


async def _compare(clients: Sequence[Client], turn: Turn, expected: Sequence[Heard]) -> None:
    # The speaker first: when it has heard all, everybody's was sent.
    for number in sorted(range(len(clients)), key=lambda number: number != turn.client):
        heard = await _hear(clients[number], len(expected[number].answers))
        where = f"what client {number} heard when client {turn.client} spoke"
        expect(dict(heard.events), dict(expected[number].events), where)
        expect(heard.answers, expected[number].answers, f"acknowledgements: {where}")


async def _say(client: Client, turn: Turn, suffix: str) -> None:
    for number, say in enumerate(turn.says):
        args = list(say.args)
        if say.verb in ("join", "leave", "tell", "tell others"):
            args[0] = f"{args[0]!r} {suffix}"
        data: JSON = [say.verb, *args]
        ack_id = number if say.asks else None
        await client.send_packet(Packet(PacketType.EVENT, say.namespace, data, ack_id))


async def _hear(client: Client, answers: int) -> Heard:
    """Return what has come when each namespace has acknowledged that there is no more.

    Args:
        client: who hears.
        answers: acknowledgements to wait for: socket.io sends that of `join` a moment late.
    """
    for namespace in NAMESPACES:
        await client.send_packet(Packet(PacketType.EVENT, namespace, ["ack"], _SYNC))
    heard, waiting = Heard(), set(NAMESPACES)
    while waiting or len(heard.answers) < answers:
        packet = await client.receive_packet()
        if packet.type is PacketType.EVENT:
            heard.events[packet.namespace].append(packet.data)
        elif packet.id == _SYNC:
            waiting.discard(packet.namespace)
        elif packet.id is not None:
            heard.answers[packet.id] = packet.data
    return heard
