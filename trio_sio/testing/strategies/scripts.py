"""Scripts of clients that do anything, to the application that `docs/conformance.md` describes."""

from functools import cache

from hypothesis import strategies as st

from trio_sio.protocol.socketio.encoder import encode
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing.clients.packets import messages
from trio_sio.testing.scripts import (
    SID,
    Frame,
    Leave,
    Post,
    Probe,
    Request,
    Script,
    Send,
    Step,
    Upgrade,
)
from trio_sio.testing.strategies.conversations import says
from trio_sio.testing.strategies.garbage import damaged, garbage
from trio_sio.testing.strategies.payloads import Encoding, encoded_payloads
from trio_sio.testing.strategies.vocabulary import Vocabulary, says_of
from trio_sio.testing.wire import PacketText

_ORIGINS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    (),
    (("Origin", "http://a.example"),),
    (("Origin", "null"),),
    (("Referer", "http://b.example/page"),),
    (("Cookie", "io=x; a=b"),),
    (("Accept-Encoding", "gzip"),),
    (("User-Agent", "Mozilla/5.0 (x;MSIE 9)"),),
)


_HANDSHAKES = (
    *((), (), ()),
    (("Sec-WebSocket-Version", "8"),),
    (("Sec-WebSocket-Version", "12"),),
    (("Sec-WebSocket-Key", "bad"),),
    (("Sec-WebSocket-Key", ""),),
    (("Sec-WebSocket-Protocol", "a, b"),),
    (("Sec-WebSocket-Extensions", "permessage-deflate"),),
    (("Origin", "http://a.example"),),
    (("Connection", "keep-alive, Upgrade"),),
    (("Upgrade", "WebSocket"),),
)
_ENCODINGS: dict[int, tuple[Encoding, ...]] = {
    3: ("text", "base64", "binary", "jsonp form"),
    4: ("separated",),
}
_Packets = tuple[PacketText, ...]


@cache
def _events(words: Vocabulary) -> st.SearchStrategy[tuple[PacketText, ...]]:
    """Events of the application, as messages of Engine.IO."""
    ids = st.sampled_from((None, 0, 1, 1, 2, 4711))
    namespaces = st.sampled_from(words.namespaces)

    def written(verb: str, args: list[object], name: str, ack_id: int | None) -> _Packets:
        packet = Packet(PacketType.EVENT, name, [verb, *args], ack_id)  # type: ignore[list-item]
        return tuple(messages(encode(packet), words.eio))

    of_rooms = st.builds(
        lambda say, name, ack: written(say.verb, list(say.args), name, ack),
        says(),
        namespaces,
        ids,
    )
    others = st.builds(
        lambda verb, name, ack: written(verb, [], name, ack),
        st.sampled_from(("echo", "ack", "ask", "token", "kick", "close", "unknown")),
        namespaces,
        ids,
    )
    return st.one_of(of_rooms, of_rooms, others)


@st.composite
def _damaged_events(draw: st.DrawFn, words: Vocabulary) -> _Packets:
    """Messages of an event, of which one is damaged, missing or too many."""
    parts = list(draw(_events(words)))
    at = draw(st.integers(0, len(parts) - 1))
    match draw(st.sampled_from(("damage", "drop", "double", "swap"))):
        case "damage":
            part = parts[at]
            raw = part if isinstance(part, bytes) else part.encode("utf-8", "replace")
            changed = draw(damaged(raw))
            parts[at] = changed.decode("utf-8", "replace") if isinstance(part, str) else changed
        case "drop":
            del parts[at]
        case "double":
            parts.insert(at, parts[at])
        case _:
            parts.reverse()
    return tuple(parts)


@cache
def _odd(words: Vocabulary) -> st.SearchStrategy[_Packets]:
    """What few clients send, or none."""
    return st.one_of(
        st.sampled_from(words.odd).map(lambda one: (one,)),
        st.sampled_from(words.binary).map(lambda one: (one,)),
        _damaged_events(words),
    )


@cache
def _packets(words: Vocabulary) -> st.SearchStrategy[_Packets]:
    """What is sent at once: good packets, and sometimes odd ones among them."""
    events = _events(words)
    connects = st.sampled_from(words.connects).map(lambda one: (one,))
    good = st.one_of(events, events, connects)
    groups = st.lists(st.one_of(*[good] * words.good, _odd(words)), min_size=1, max_size=4)
    return groups.map(lambda drawn: tuple(packet for group in drawn for packet in group))


@cache
def _queries(words: Vocabulary) -> st.SearchStrategy[str]:
    transports = st.sampled_from(
        ("transport=polling", "transport=polling", "transport=websocket", "transport=x", "")
    )
    versions = st.sampled_from(words.versions)
    sids = st.sampled_from(("", f"sid={SID}", f"sid={SID}", "sid=unknown", "sid="))
    parts = st.tuples(versions, transports, sids, st.sampled_from(words.more))
    return parts.map(lambda drawn: "&".join(part for part in drawn if part))


@cache
def _requests(words: Vocabulary) -> st.SearchStrategy[Step]:
    methods = st.sampled_from(("GET", "POST", "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"))
    origins, bodies = st.sampled_from(_ORIGINS), st.sampled_from(words.bodies)
    return st.builds(Request, methods, _queries(words), origins, bodies)


@cache
def _probes(words: Vocabulary) -> st.SearchStrategy[Step]:
    packets = st.one_of(
        st.sampled_from(((), ("2probe",), ("2probe", "5"), ("5",), ("2probe", "2probe"))),
        st.lists(
            st.sampled_from(("2probe", "2", "5", "6", "1", "x", '42["echo"]')), max_size=3
        ).map(tuple),
    )
    good = st.sampled_from((words.own_upgrade, words.own_upgrade.partition("&sid")[0]))
    queries = st.one_of(good, _queries(words))
    return st.builds(Probe, queries, packets, st.sampled_from(_HANDSHAKES))


def _frames(client: int) -> st.SearchStrategy[Step]:
    payloads = st.sampled_from(
        (b"", b"2", b'42["echo"]', b"\xff", b"\x03\xe8", b"\x03\xe8bye", b"\x03", b"\x03\xed", b"x")
    )
    opcodes = st.sampled_from((1, 2, 8, 9, 10, 0, 3, 11))
    usually = st.sampled_from((True, True, True, True, False))
    rsv = st.sampled_from((0, 0, 0, 4))
    return st.builds(Frame, st.just(client), opcodes, payloads, usually, rsv, usually)


def _bodies(client: int, words: Vocabulary) -> st.SearchStrategy[Step]:
    encodings = _ENCODINGS[words.eio]
    good = encoded_payloads(*encodings, version=words.eio).map(lambda one: one.body)
    bodies = st.one_of(good, garbage(version=words.eio), good.flatmap(damaged))
    return st.builds(Post, st.just(client), bodies, st.sampled_from(words.types))


def _steps_of(client: int, transport: str, words: Vocabulary) -> st.SearchStrategy[Step]:
    sends = st.builds(Send, st.just(client), _packets(words))
    large = st.integers(99_970, 100_030).map(
        lambda size: Send(client, (f'42["echo","{"x" * (size - 12)}"]',))
    )
    rare: list[st.SearchStrategy[Step]] = [
        *(_requests(words), _probes(words), st.just(Leave(client)), large)
    ]
    if transport.startswith("polling"):
        between = st.one_of(st.just(()), _events(words))
        rare += [_bodies(client, words), st.builds(Upgrade, st.just(client), between)]
    else:
        rare.append(_frames(client))
    return st.one_of(*[sends] * 5, *rare)


@st.composite
def scripts(draw: st.DrawFn, *, protocol: int = 4) -> Script:
    """Scripts of up to two clients, which send good packets, and anything else at any time.

    Args:
        draw: given by Hypothesis.
        protocol: the revision of Socket.IO that the clients speak.
    """
    words = says_of(protocol)
    least = draw(st.sampled_from((0, 1, 1, 1)))
    transports = draw(st.lists(st.sampled_from(words.transports), min_size=least, max_size=2))
    if not transports:
        of_nobody = st.one_of(_requests(words), _probes(words))
        return Script((), tuple(draw(st.lists(of_nobody, min_size=1, max_size=4))))
    beginnings = [
        Send(number, draw(st.sampled_from(words.beginnings)))
        for number in range(len(transports))
        if words.beginnings
    ]
    of_each = [_steps_of(number, how, words) for number, how in enumerate(transports)]
    steps = draw(st.lists(st.one_of(of_each), min_size=1, max_size=6))
    return Script(tuple(transports), (*beginnings, *steps))
