"""Clients by bytes, of both generations; they need not do what such clients do.

What a test says by `eio` is the revision of Engine.IO: 3 for clients of 2.x, 4 for those of 3.x and
4.x. Packets of Socket.IO are spelled alike in both, apart from CONNECT and ERROR; what differs
besides is here.
"""

from collections.abc import Mapping

from tests.support.modern import join
from trio_sio.testing.wire import WireClient, WireSession
from trio_sio.testing.wire_websocket import WebSocketClosed, WireWebSocket

# -- clients ---------------------------------------------------------------------------------------


async def opened(
    wire: WireClient, headers: Mapping[str, str] | None = None, *, eio: int = 3
) -> WireWebSocket:
    """Open a WebSocket, and read how its session begins; of 4, it has joined nothing."""
    websocket = await wire.websocket("", headers, eio=eio)
    assert str(await websocket.receive())[:2] == "0{"
    return websocket


async def joined(
    wire: WireClient, *namespaces: str, headers: Mapping[str, str] | None = None, eio: int = 3
) -> WireWebSocket:
    """Open a WebSocket that has joined "/" and those."""
    websocket = await opened(wire, headers, eio=eio)
    if eio == 3:
        assert await websocket.receive() == "40"
    else:
        await join(websocket)
    for name in namespaces:
        await enter(websocket, name, eio=eio)
    return websocket


async def enter(websocket: WireWebSocket, name: str, *, eio: int = 3) -> None:
    """Join another namespace."""
    if eio == 3:
        await websocket.send(f"40{name},")
        assert await websocket.receive() == f"40{name},"
    else:
        await join(websocket, f"40{name},")


async def polling(
    wire: WireClient, query: str = "", headers: Mapping[str, str] | None = None, *, eio: int = 3
) -> WireSession:
    """Open a session that polls and has joined "/"."""
    session = await wire.handshake(query, headers, eio=eio)
    if eio == 3:
        assert session.first == ["40"]
    else:
        await session.post("40")
        (answer,) = await session.poll()
        assert str(answer).startswith('40{"sid"')
    return session


# -- what differs ----------------------------------------------------------------------------------


def attached(data: bytes, eio: int) -> bytes:
    """Return what a WebSocket sends for an attachment."""
    return b"\x04" + data if eio == 3 else data


def heartbeat(eio: int) -> str:
    """Return what a client sends to show that it is there: a ping, or an answer to one."""
    return "2" if eio == 3 else "3"


def refusal(name: str, message: str, eio: int) -> str:
    """Return the packet that keeps a client out of a namespace."""
    said = f'"{message}"' if eio == 3 else f'{{"message":"{message}"}}'
    return f"44{name},{said}"


def is_joined(answer: str | bytes, name: str, eio: int) -> bool:
    """Whether this lets a client into a namespace other than "/"."""
    said = str(answer)
    return said == f"40{name}," if eio == 3 else said.startswith(f'40{name},{{"sid":"')


def socket_id(session: WireSession, ids: Mapping[str, object]) -> str:
    """Return the id of a session's socket in "/": in 2.x the session's, else the latest there."""
    return session.sid if session.eio == 3 else [*ids][-1]


# -- whether a client is served --------------------------------------------------------------------

_ASK, _EVENT, _ANSWER = '4277["neighbour",0]', '42["heard",0]', "4377[0]"


async def is_served(websocket: WireWebSocket) -> bool:
    """Whether the server answers an event next, as it does beside a neighbour."""
    await websocket.send(_ASK)
    return (await websocket.receive(), await websocket.receive()) == (_EVENT, _ANSWER)


async def is_served_by_polling(session: WireSession) -> bool:
    """Whether the server answers an event next; a poll may have been let go before."""
    await session.post(_ASK)
    said: list[str | bytes] = []
    while _ANSWER not in said:
        said += [packet for packet in await session.poll() if packet != "6"]
    return said == [_EVENT, _ANSWER]


async def end_of(websocket: WireWebSocket) -> int | None:
    """Read until the server closes; return the code of its close frame."""
    try:
        while True:
            await websocket.receive()
    except WebSocketClosed as closed:
        return closed.code
