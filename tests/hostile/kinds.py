"""The kinds of attack. Each begins quietly, waits in `begin` for all others, and then attacks.

A kind ends when the server closes its connection, which raises `OSError` or returns; the swarm
then sends it again.
"""

import os
from collections.abc import Awaitable, Callable

import trio

from tests.hostile.attacker import Attacker
from tests.support.raw_websocket import BINARY, PING, TEXT, frame
from tools.load.clients import masked

Kind = Callable[[Attacker], Awaitable[None]]

PAUSE = 0.5
"""Seconds between two bytes of whoever is slow."""

CHUNK = 8 * 1024
"""Bytes that a flood sends in one go."""

CONTINUATION = 0
NO_BUFFER = 2048


# -- connections that hardly speak ---------------------------------------------------------------


async def half_open(one: Attacker) -> None:
    """Connect and say nothing."""
    await one.connect()
    await one.begin()
    await one.wait_closed()


async def slow_head(one: Attacker) -> None:
    """A request whose head comes byte by byte."""
    await one.connect()
    await one.begin()
    await one.trickle(one.request("GET"), PAUSE)


async def slow_body(one: Attacker) -> None:
    """A POST whose body comes byte by byte."""
    sid = await one.poll()
    await one.begin()
    await one.send(one.post_head(sid, 50_000))
    await one.trickle(b"1" * 50_000, PAUSE)


async def reset_after_accept(one: Attacker) -> None:
    """Connect and reset, again and again."""
    await one.connect()
    await one.begin()
    one.close(reset=True)
    await trio.sleep(PAUSE)


async def polls_never_taken(one: Attacker) -> None:
    """A session by polling, in the room, that never polls."""
    sid = await one.poll()
    await one.begin()
    await one.post(sid, _payload(one, '42["join"]'))
    await one.wait_closed()
    await trio.sleep_forever()


async def probe_never_finished(one: Attacker) -> None:
    """A WebSocket for a session by polling that gets no further than its probe."""
    sid = await one.poll()
    await one.begin()
    await one.websocket(sid=sid)
    await one.send(masked("2probe"))
    await one.wait_closed()


async def never_reading(one: Attacker) -> None:
    """A subscriber of the room that reads nothing."""
    await one.websocket(NO_BUFFER)
    await one.begin()
    await one.send(masked('42["join"]'))
    await trio.sleep_forever()


async def unread_answers(one: Attacker) -> None:
    """Requests whose answers are never read."""
    await one.connect(NO_BUFFER)
    await one.begin()
    request = b"GET /socket.io/socket.io.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
    while True:
        await one.send(request * 20)


# -- what no server should believe ---------------------------------------------------------------


async def garbage(one: Attacker) -> None:
    """Bytes that are nothing."""
    await one.connect()
    await one.begin()
    await one.send(os.urandom(CHUNK))
    await one.wait_closed()


async def websocket_garbage(one: Attacker) -> None:
    """Bytes that are nothing, where frames should be."""
    await one.websocket()
    await one.begin()
    await one.send(os.urandom(CHUNK))
    await one.wait_closed()


async def huge_content_length(one: Attacker) -> None:
    """A POST that announces a terabyte."""
    sid = await one.poll()
    await one.begin()
    await one.send(one.post_head(sid, 10**12) + b"1" * CHUNK)
    await one.wait_closed()


async def huge_frame(one: Attacker) -> None:
    """A frame that announces far more than a message may have."""
    await one.websocket()
    await one.begin()
    await one.send(b"\x82\xff" + (2**62).to_bytes(8, "big") + bytes(4) + b"1" * CHUNK)
    await one.wait_closed()


async def large_frame_trickled(one: Attacker) -> None:
    """A frame that announces as much as a message may have, and comes byte by byte."""
    await one.websocket()
    await one.begin()
    await one.send(b"\x82\xff" + (99_000_000).to_bytes(8, "big") + bytes(4) + b"\x04")
    await one.trickle(b"1" * 10_000, PAUSE)


async def huge_attachment_count(one: Attacker) -> None:
    """A packet that announces a billion attachments."""
    await one.websocket()
    await one.begin()
    await one.send(masked('45999999999-["x",{"_placeholder":true,"num":0}]'))
    await one.wait_closed()


async def attachments_never_sent(one: Attacker) -> None:
    """A packet whose attachments do not come."""
    await one.websocket()
    await one.begin()
    await one.send(masked('451-["x",{"_placeholder":true,"num":0}]'))
    await one.wait_closed()


# -- floods --------------------------------------------------------------------------------------


def _flood(make: Callable[[Attacker], bytes]) -> Kind:
    async def flood(one: Attacker) -> None:
        await one.websocket()
        unit = make(one)
        await one.begin()
        await one.flood(unit * (CHUNK // len(unit)))

    return flood


def _heartbeat(one: Attacker) -> str:
    """What a client of that version of Engine.IO sends to be heard: a ping, or a pong."""
    return "2" if one.version == 3 else "3"


def _payload(one: Attacker, *packets: str) -> bytes:
    if one.version == 4:
        return "\x1e".join(packets).encode()
    return "".join(f"{len(packet)}:{packet}" for packet in packets).encode()


websocket_pings = _flood(lambda one: frame(PING, b""))
engine_pings = _flood(lambda one: masked(_heartbeat(one)))
tiny_messages = _flood(lambda one: masked("42/no"))
events = _flood(lambda one: masked('42["echo","x"]'))
binary_unjoined = _flood(
    lambda one: (
        masked('451-/never,["x",{"_placeholder":true,"num":0}]')
        + frame(BINARY, b"\x04xxxx" if one.version == 3 else b"xxxx")
    )
)


async def empty_fragments(one: Attacker) -> None:
    """Messages of nothing, in as many pieces as a message may have."""
    await one.websocket()
    first, last = frame(TEXT, b"2", fin=False), frame(CONTINUATION, b"")
    await one.begin()
    await one.flood(first + frame(CONTINUATION, b"", fin=False) * 4000 + last)


async def many_namespaces(one: Attacker) -> None:
    """Connects to more namespaces than there are."""
    await one.websocket()
    await one.begin()
    count = 0
    while True:
        frames = [masked(f"40/number {count + index},") for index in range(100)]
        count += len(frames)
        await one.send(b"".join(frames))
        one.drop()


async def tiny_packets(one: Attacker) -> None:
    """Payloads of tens of thousands of the smallest packets."""
    sid = await one.poll()
    body = _payload(one, *[_heartbeat(one)] * 25_000)
    await one.begin()
    while True:
        await one.post(sid, body)


QUIET: dict[str, Kind] = {
    "half-open": half_open,
    "slow heads": slow_head,
    "slow bodies": slow_body,
    "reset right after accept": reset_after_accept,
    "polls never taken": polls_never_taken,
    "probes never finished": probe_never_finished,
    "subscribers that never read": never_reading,
    "answers never read": unread_answers,
    "garbage": garbage,
    "garbage for frames": websocket_garbage,
    "huge Content-Length": huge_content_length,
    "huge frames": huge_frame,
    "large frames, trickled": large_frame_trickled,
    "huge attachment counts": huge_attachment_count,
    "attachments never sent": attachments_never_sent,
}
FLOODS: dict[str, Kind] = {
    "floods of WebSocket pings": websocket_pings,
    "floods of Engine.IO pings": engine_pings,
    "floods of empty fragments": empty_fragments,
    "floods of tiny messages": tiny_messages,
    "floods of tiny packets in payloads": tiny_packets,
    "floods of events": events,
    "floods of binary packets for namespaces never joined": binary_unjoined,
    "connects to very many namespaces": many_namespaces,
}
# -- Engine.IO 4 ---------------------------------------------------------------------------------


async def empty_elements(one: Attacker) -> None:
    """Payloads whose packets are empty, behind one that is not."""
    sid = await one.poll()
    await one.begin()
    await one.post(sid, b"3" + b"\x1e" * CHUNK)
    await one.wait_closed()


async def huge_auth(one: Attacker) -> None:
    """Says more of itself than a stranger may."""
    await one.connect()
    await one.open_websocket()
    await one.begin()
    await one.send(masked('40{"token":"' + "x" * 300_000 + '"}'))
    await one.wait_closed()


async def pings_of_the_client(one: Attacker) -> None:
    """Pings, which only the server may."""
    await one.websocket()
    await one.begin()
    await one.flood(masked("2") * 100)


joins_again = _flood(lambda one: masked("40") + masked('40{"a":1}'))
answers_unasked = _flood(lambda one: masked('4377["x"]'))

RECENT: dict[str, Kind] = {
    "empty elements in payloads": empty_elements,
    "huge auth": huge_auth,
    "pings of clients": pings_of_the_client,
    "floods of joining again": joins_again,
    "floods of answers that nobody waits for": answers_unasked,
}
"""What only clients of Engine.IO 4 do; not in `MIX`, which is the same for both revisions."""

KINDS = {**QUIET, **FLOODS, **RECENT}
MIX = [*QUIET] * 4 + [*FLOODS]
"""Names, as often as they come: one flood is as much work as hundreds of the others."""
