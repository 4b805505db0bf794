"""Conversations of several clients with the application that `docs/conformance.md` describes."""

from collections.abc import Sequence
from functools import cache

from hypothesis import strategies as st

from trio_sio.protocol.socketio.packet import JSON
from trio_sio.testing.clients.transports import transports_of
from trio_sio.testing.conversations import NAMESPACES, VERBS, Conversation, Say, Turn
from trio_sio.testing.strategies.packets import is_sendable


@cache
def _portable_values() -> st.SearchStrategy[JSON]:
    """JSON values that every implementation repeats as they are."""
    text = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
    integers = st.integers(-(2**53) + 1, 2**53 - 1)
    leaves: st.SearchStrategy[JSON] = st.one_of(
        st.none(), st.booleans(), integers, text, st.binary(max_size=5)
    )
    keys = st.sampled_from(("a", "b", "é", "_placeholder"))
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)
        ),
        max_leaves=4,
    )


@cache
def _arguments_of(verb: str) -> st.SearchStrategy[tuple[JSON, ...]]:
    """What the event has, each as an argument."""
    args = st.lists(_portable_values(), max_size=2).filter(is_sendable).map(tuple)
    room = st.sampled_from(("kitchen", "hall"))
    if verb == "burst":
        return st.tuples(st.integers(0, 5))
    if verb in ("join", "leave"):
        return st.tuples(room)
    if verb in ("tell", "tell others"):
        return st.tuples(room, args).map(lambda both: (both[0], *both[1]))
    return args


@st.composite
def says(draw: st.DrawFn) -> Say:
    """Events of the application that `docs/conformance.md` describes."""
    verb = draw(st.sampled_from(VERBS))
    namespace = draw(st.sampled_from(NAMESPACES))
    return Say(verb, draw(_arguments_of(verb)), namespace)


@st.composite
def conversations(
    draw: st.DrawFn, transports: Sequence[str] | None = None, *, protocol: int = 4
) -> Conversation:
    """Conversations of one to three clients.

    Args:
        draw: given by Hypothesis.
        transports: what each may talk by; `None` for all that clients of this revision have.
        protocol: the revision of Socket.IO.
    """
    known = transports_of(protocol) if transports is None else transports
    hows = draw(st.lists(st.sampled_from(known), min_size=1, max_size=3))
    clients = st.integers(0, len(hows) - 1)
    of_one = st.lists(says(), min_size=1, max_size=5)
    turns = draw(st.lists(st.tuples(clients, of_one), min_size=1, max_size=6))
    return Conversation(tuple(hows), tuple(Turn(client, tuple(said)) for client, said in turns))
