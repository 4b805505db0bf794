"""Every state that a client of a server can be in, by name.

Each is an async function that brings one client there, and a count of the clients that the server
has there at this moment, by which a test knows that they have arrived.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tests.support.stage import GRACE, PING, PING_4, POLLING, WEBSOCKET, Guest, Stage
from trio_sio.protocol.engineio.state import State as SessionState
from trio_sio.testing.wire_websocket import CONTINUATION, TEXT, frame_bytes, handshake_headers


@dataclass(frozen=True)
class State:
    """One of them.

    Attributes:
        enter: brings a client there.
        count: how many clients are there.
        prepare: what a server needs for it.
        lasts: seconds that the server may keep something of a client after its connections broke.
        held: whether the application holds it, since nobody reads until a handler has returned.
        shielded: whether a "disconnect" handler runs, which a cancelled server waits for.
    """

    enter: Callable[[Stage, Guest], Awaitable[object]]
    count: Callable[[Stage], int]
    prepare: Callable[[Stage], object] = lambda stage: None
    lasts: float = 0
    held: bool = False
    shielded: bool = False

    @property
    def name(self) -> str:
        """What it is called."""
        return self.enter.__name__


def _halted(stage: Stage) -> int:
    return stage.halted


def _connections(stage: Stage) -> int:
    return stage.io.statistics().connections


def _sessions(stage: Stage) -> int:
    return stage.count(lambda session: not session.closed)


def _held(stage: Stage) -> int:
    return stage.count(lambda session: session.writable)


def _full(stage: Stage) -> int:
    limit = stage.io.options.max_outbox
    return stage.count(lambda session: session.statistics().queued >= limit)


def _behind(stage: Stage) -> int:
    """Clients for whom much waits, though the kernel may have taken a little more by now."""
    limit = stage.io.options.max_outbox
    return stage.count(lambda session: session.statistics().queued >= limit // 2)


def _closing(stage: Stage) -> int:
    return stage.count(lambda session: session.state.state is SessionState.CLOSING)


def _upgrading(stage: Stage) -> int:
    return stage.count(lambda session: session.probe is not None)


def _asked(stage: Stage) -> int:
    return sum(bool(socket.sender.acks) for socket in stage.io.sockets.connected.values())


# -- before there is a session ------------------------------------------------------------------


async def connected_and_silent(stage: Stage, guest: Guest) -> None:
    await guest.connect()


async def mid_request_head(stage: Stage, guest: Guest) -> None:
    await (await guest.connect()).send(b"GET /socket.io/?EIO=3 HTTP/1.1\r\nHost: a\r\nAcce")


async def mid_websocket_handshake(stage: Stage, guest: Guest) -> None:
    """The client does not read the answer, which may be no obstacle to the server."""
    connection = await guest.connect()
    await connection.send_request("GET", WEBSOCKET, handshake_headers())


async def in_allow_request(stage: Stage, guest: Guest) -> None:
    await (await guest.connect()).send_request("GET", POLLING)


async def websocket_in_allow_request(stage: Stage, guest: Guest) -> None:
    await mid_websocket_handshake(stage, guest)


# -- polling ------------------------------------------------------------------------------------


BODY, HALF = b'11:421["work"]', 6
"""Of an upload; the second half is yet to come."""


async def between_polls(stage: Stage, guest: Guest) -> None:
    await guest.poll()


async def polling(stage: Stage, guest: Guest) -> None:
    await (await guest.poll()).send_request("GET", guest.target)


async def mid_upload(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    request = connection.request_bytes("POST", guest.target, body=BODY)
    await connection.send(request[: HALF - len(BODY)])


async def upload_waits_for_handlers(stage: Stage, guest: Guest) -> None:
    """The inbox is full, so nobody takes what the POST brings."""
    connection = await guest.poll()
    work = b'10:42["work"]' * 6
    response = await connection.request("POST", guest.target, body=work)
    assert response.body == b"ok"
    await connection.send_request("POST", guest.target, body=work)


async def poll_answer_not_taken(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll()
    stage.io.sockets.connected[guest.sid].emit_nowait("large", "x" * 1_000_000)
    await connection.send_request("GET", guest.target)


async def upgrading(stage: Stage, guest: Guest) -> None:
    await guest.poll()
    websocket = await guest.open_websocket(f"&sid={guest.sid}")
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"


async def closing_while_polling(stage: Stage, guest: Guest) -> None:
    await guest.poll()
    stage.io.engine.sessions[guest.sid].close()


# -- websocket ----------------------------------------------------------------------------------


async def websocket_not_joined(stage: Stage, guest: Guest) -> None:
    await guest.open_websocket()


async def namespaces_pending(stage: Stage, guest: Guest) -> None:
    websocket = await guest.open_websocket()
    for name in ("/asks", "/greets", "/farewells"):
        await websocket.send(f"40{name},")


async def joined(stage: Stage, guest: Guest) -> None:
    await guest.join()


async def not_reading(stage: Stage, guest: Guest) -> None:
    await guest.join()
    await stage.fill(guest.sid)


FRAGMENT, FRAGMENT_HALF = frame_bytes(CONTINUATION, b'rk", "and more"]'), 9
"""The last one of a message; its second half is yet to come."""


async def mid_fragmented_message(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    await websocket.send_frame(TEXT, b'42["wo', fin=False)
    await websocket.connection.send(FRAGMENT[:FRAGMENT_HALF])


async def half_binary_packet(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join()
    await websocket.send('452-["work",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await websocket.send(b"\x04half")


async def closing(stage: Stage, guest: Guest) -> None:
    """The server has sent its close frame, and the client does not answer."""
    await guest.join()
    stage.io.engine.sessions[guest.sid].close()


# -- clients of Socket.IO 3 and 4 -----------------------------------------------------------------


async def joined_nothing_5(stage: Stage, guest: Guest) -> None:
    await guest.open_websocket_4()


async def polling_4(stage: Stage, guest: Guest) -> None:
    await (await guest.poll_4()).send_request("GET", guest.target_4)


async def upgrading_4(stage: Stage, guest: Guest) -> None:
    await guest.poll_4()
    websocket = await guest.open_websocket_4(f"&sid={guest.sid}")
    await websocket.send("2probe")
    assert await websocket.receive() == "3probe"


async def joined_5(stage: Stage, guest: Guest) -> None:
    await guest.join_5()


async def joining_5(stage: Stage, guest: Guest) -> None:
    """Middleware has yet to let it in."""
    websocket = await guest.open_websocket_4()
    await websocket.send('40/asks,{"token":1}')


async def answer_awaited_5(stage: Stage, guest: Guest) -> None:
    await (await guest.join_5()).send('427["ask"]')


async def mid_upload_4(stage: Stage, guest: Guest) -> None:
    await guest.poll_4()
    connection = await guest.connect()
    request = connection.request_bytes("POST", guest.target_4, body=b'3\x1e421["work"]')
    await connection.send(request[:-5])


async def poll_answer_not_taken_4(stage: Stage, guest: Guest) -> None:
    connection = await guest.poll_4()
    (socket,) = [one for one in stage.io.sockets.connected.values() if one.conn.id == guest.sid]
    socket.emit_nowait("large", "x" * 1_000_000)
    await connection.send_request("GET", guest.target_4)


async def closing_while_polling_4(stage: Stage, guest: Guest) -> None:
    await guest.poll_4()
    stage.io.engine.sessions[guest.sid].close()


async def half_binary_packet_5(stage: Stage, guest: Guest) -> None:
    websocket = await guest.join_5()
    await websocket.send('452-["work",{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}]')
    await websocket.send(b"half")


async def in_event_handler_5(stage: Stage, guest: Guest) -> None:
    await (await guest.join_5()).send('421["work"]')


async def in_disconnect_handler_5(stage: Stage, guest: Guest) -> None:
    """In a namespace of its own, "/" not being joined."""
    websocket = await guest.open_websocket_4()
    await websocket.send("40/farewells,")
    assert str(await websocket.receive()).startswith("40/farewells,{")
    await websocket.send("41/farewells,")


# -- in the application's code ------------------------------------------------------------------


async def in_namespace_middleware(stage: Stage, guest: Guest) -> None:
    await (await guest.join()).send("40/asks,")


async def in_packet_middleware(stage: Stage, guest: Guest) -> None:
    await (await guest.join("/checks")).send('42/checks,["anything"]')


async def in_connection_handler(stage: Stage, guest: Guest) -> None:
    await guest.join("/greets")


async def in_event_handler(stage: Stage, guest: Guest) -> None:
    await (await guest.join()).send('421["work"]')


async def in_disconnect_handler(stage: Stage, guest: Guest) -> None:
    await (await guest.join("/farewells")).send("41/farewells,")


async def inbox_full(stage: Stage, guest: Guest) -> None:
    """The reader waits for the handlers, and hears nothing of the client meanwhile."""
    websocket = await guest.join()
    for _ in range(
        1 + stage.io.options.max_inbox + 1
    ):  # handled, waiting, and in the reader's hand
        await websocket.send('42["work"]')


async def answer_awaited(stage: Stage, guest: Guest) -> None:
    await (await guest.join()).send('427["ask"]')


async def waiting_for_room(stage: Stage, guest: Guest) -> None:
    """A handler waits in `emit`."""
    await (await guest.join()).send('42["flood"]')


def _halt_at_root(stage: Stage) -> None:
    stage.io.use(stage.halt)


def _halt_requests(stage: Stage) -> None:
    stage.io.engine.set_options(allow_request=stage.halt)


STATES = [
    State(connected_and_silent, _connections),
    State(mid_request_head, _connections),
    State(mid_websocket_handshake, _connections),
    State(in_allow_request, _halted, _halt_requests, held=True),
    State(websocket_in_allow_request, _halted, _halt_requests, held=True),
    State(between_polls, _sessions, lasts=PING),
    State(polling, _held),
    State(mid_upload, _sessions),
    State(upload_waits_for_handlers, _halted, lasts=PING + GRACE),
    State(poll_answer_not_taken, _sessions),
    State(upgrading, _upgrading, lasts=PING),
    State(closing_while_polling, _closing, lasts=PING),
    State(websocket_not_joined, _halted, _halt_at_root),
    State(namespaces_pending, _halted, _halt_at_root),
    State(joined, _sessions),
    State(not_reading, _behind),
    State(mid_fragmented_message, _sessions),
    State(half_binary_packet, _sessions),
    State(closing, _closing),
    State(joined_nothing_5, _sessions),
    State(polling_4, _held),
    State(upgrading_4, _upgrading, lasts=PING_4),
    State(joined_5, _sessions),
    State(joining_5, _halted),
    State(answer_awaited_5, _asked),
    State(mid_upload_4, _sessions),
    State(poll_answer_not_taken_4, _sessions),
    State(closing_while_polling_4, _closing, lasts=PING_4),
    State(half_binary_packet_5, _sessions),
    State(in_event_handler_5, _halted, lasts=GRACE),
    State(in_disconnect_handler_5, _halted, lasts=GRACE, shielded=True),
    State(in_namespace_middleware, _halted),
    State(in_packet_middleware, _halted, lasts=GRACE),
    State(in_connection_handler, _halted, lasts=GRACE),
    State(in_event_handler, _halted, lasts=GRACE),
    State(in_disconnect_handler, _halted, lasts=GRACE, shielded=True),
    State(inbox_full, _halted, lasts=PING + GRACE),
    State(answer_awaited, _asked),
    State(waiting_for_room, _full),
]
