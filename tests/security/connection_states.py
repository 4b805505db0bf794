"""The states that a client's connection can be in when something comes that nobody expects."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.security.clients import attached, joined, opened, polling
from tests.security.traffic import BODIES, FRAMES, REQUESTS
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import TEXT, WireWebSocket, frame_bytes, handshake_headers

DEFLATE = {"Sec-WebSocket-Extensions": "permessage-deflate"}


@dataclass(frozen=True)
class Victim:
    """A connection in some state.

    Attributes:
        connection: where bytes will be sent.
        speaks_websocket: whether the server answers by frames, or else by HTTP.
        others: further connections of the same client.
    """

    connection: WireConnection
    speaks_websocket: bool = False
    others: Sequence[WireConnection] = ()


Open = Callable[[WireClient, int], Awaitable[Victim]]
"""Brings a client of that revision of Engine.IO into a state."""


# -- HTTP ----------------------------------------------------------------------------------------


async def before_the_head(wire: WireClient, eio: int) -> Victim:
    """Nothing has been said."""
    return Victim(wire.connect())


async def in_the_head(wire: WireClient, eio: int) -> Victim:
    """In the middle of a field."""
    return await _said(
        wire, f"GET {wire.target('polling', eio=eio)} HTTP/1.1\r\nHost: a\r\nX: ".encode()
    )


async def in_the_handshake(wire: WireClient, eio: int) -> Victim:
    """In the head that asks for a WebSocket; the empty line is due."""
    lines = [f"{name}: {value}" for name, value in handshake_headers(DEFLATE).items()]
    target = wire.target("websocket", eio=eio)
    return await _said(
        wire, "\r\n".join([f"GET {target} HTTP/1.1", "Host: a", *lines, ""]).encode()
    )


async def _said(wire: WireClient, data: bytes) -> Victim:
    connection = wire.connect()
    await connection.send(data)
    return Victim(connection)


async def between_requests(wire: WireClient, eio: int) -> Victim:
    """A poll has been answered; the connection may be used for the next one."""
    session = await polling(wire, eio=eio)
    return Victim(session.poller, others=[session.poster])


async def in_a_body(wire: WireClient, eio: int) -> Victim:
    """A tenth of a POST has come."""
    session = await polling(wire, eio=eio)
    body = b"3:40x1:2xx" if eio == 3 else b'3\x1e42["echo"'
    await session.poster.send_request("POST", session.target, {"Content-Length": "90"}, body)
    return Victim(session.poster, others=[session.poller])


async def behind_a_poll(wire: WireClient, eio: int) -> Victim:
    """A poll is held."""
    session = await polling(wire, eio=eio)
    await session.poller.send_request("GET", session.target)
    return Victim(session.poller, others=[session.poster])


async def behind_an_odd_poll(wire: WireClient, eio: int) -> Victim:
    """One whose head is not as clients write it."""
    session = await polling(wire, eio=eio)
    await session.poller.send_request("GET", session.target, {"Expect": "something"})
    return Victim(session.poller, others=[session.poster])


# -- WebSocket -----------------------------------------------------------------------------------


async def _open(wire: WireClient, eio: int, *namespaces: str) -> WireWebSocket:
    return await joined(wire, *namespaces, headers=DEFLATE, eio=eio)


def _victim(websocket: WireWebSocket, *others: WireConnection) -> Victim:
    return Victim(websocket.connection, True, others)


async def just_opened(wire: WireClient, eio: int) -> Victim:
    """The handshake is done, and nothing of the answers has been read."""
    return _victim(await wire.websocket("", DEFLATE, eio=eio))


async def in_the_root(wire: WireClient, eio: int) -> Victim:
    """It has joined "/"."""
    return _victim(await _open(wire, eio))


async def in_a_namespace(wire: WireClient, eio: int) -> Victim:
    """It has joined another one."""
    return _victim(await _open(wire, eio, "/chat"))


async def asking_to_join(wire: WireClient, eio: int) -> Victim:
    """Middleware has yet to let it in; of Engine.IO 4, it is nowhere else."""
    if eio == 3:
        websocket = await _open(wire, eio)
        await websocket.send("40/slow,")
    else:
        websocket = await opened(wire, DEFLATE, eio=eio)
        await websocket.send('40/slow,{"token":"1"}')
    return _victim(websocket)


async def in_half_a_packet(wire: WireClient, eio: int) -> Victim:
    """One of two attachments has come."""
    websocket = await _open(wire, eio, "/chat")
    await websocket.send('452-/chat,7["echo",{"_placeholder":true,"num":1}]')
    await websocket.send(attached(b"data", eio))
    return _victim(websocket)


async def in_fragments(wire: WireClient, eio: int) -> Victim:
    """A message has begun."""
    websocket = await _open(wire, eio)
    await websocket.send_frame(TEXT, b'42["ec', fin=False)
    return _victim(websocket)


async def in_a_frame(wire: WireClient, eio: int) -> Victim:
    """Half of its bytes have come."""
    websocket = await _open(wire, eio)
    await websocket.connection.send(frame_bytes(TEXT, b'42["echo",1]' + b" " * 100)[:60])
    return _victim(websocket)


async def owing_an_answer(wire: WireClient, eio: int) -> Victim:
    """A handler waits for it."""
    websocket = await _open(wire, eio)
    await websocket.send('42["fetch"]')
    return _victim(websocket)


async def being_shown_out(wire: WireClient, eio: int) -> Victim:
    """The server has closed, and the client has not agreed."""
    websocket = await _open(wire, eio)
    await websocket.send('42["leave"]')
    return _victim(websocket)


async def about_to_probe(wire: WireClient, eio: int) -> Victim:
    """A WebSocket for a session that polls; it has said nothing."""
    session = await polling(wire, eio=eio)
    websocket = await session.open_websocket()
    return _victim(websocket, session.poller, session.poster)


async def probing(wire: WireClient, eio: int) -> Victim:
    """It has probed, and a poll is held."""
    session = await polling(wire, eio=eio)
    await session.poller.send_request("GET", session.target)
    websocket = await session.probe()
    return _victim(websocket, session.poller, session.poster)


async def upgraded(wire: WireClient, eio: int) -> Victim:
    """It has moved to its WebSocket."""
    session = await polling(wire, eio=eio)
    return _victim(await session.upgrade(), session.poller, session.poster)


async def polling_while_it_upgrades(wire: WireClient, eio: int) -> Victim:
    """It has probed, and what comes is on the connection of its polls."""
    session = await polling(wire, eio=eio)
    websocket = await session.probe()
    return Victim(session.poster, others=[session.poller, websocket.connection])


async def owing_a_pong(wire: WireClient, eio: int) -> Victim:
    """The server has pinged, which it does to clients of Engine.IO 4."""
    websocket = await _open(wire, eio)
    assert await websocket.receive() == "2"
    return _victim(websocket)


_RESTS = tuple(body + behind for body in BODIES for behind in (b"", *REQUESTS[:3]))

STATES: Mapping[Open, Sequence[bytes]] = {
    **dict.fromkeys((before_the_head, between_requests, polling_while_it_upgrades), REQUESTS),
    **dict.fromkeys((behind_a_poll, behind_an_odd_poll), REQUESTS),
    in_the_head: [b"\r\n\r\n", b"\r\nContent-Length: 3\r\n\r\n1:2", b" x\r\n y", *REQUESTS],
    in_the_handshake: [b"\r\n" + frame for frame in FRAMES],
    in_a_body: _RESTS,
    **dict.fromkeys(
        (
            *(just_opened, in_the_root, in_a_namespace, asking_to_join, in_half_a_packet),
            *(in_fragments, in_a_frame, owing_an_answer, being_shown_out),
            *(about_to_probe, probing, upgraded, owing_a_pong),
        ),
        FRAMES,
    ),
}
"""Each with what a client would send there, as a start."""

OF_ONE_REVISION: Mapping[Open, int] = {before_the_head: 3, owing_a_pong: 4}
"""The states that only clients of one revision have, or in which nobody has said which it is."""

EVERY_STATE = [
    (state, eio) for state in STATES for eio in (3, 4) if OF_ONE_REVISION.get(state, eio) == eio
]
"""With the revision of the client that is in it."""
