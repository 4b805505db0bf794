"""How sockets of one client leave: one after the other, and in which state each handler sees it."""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import pytest
import trio

import trio_sio
from tests.support.peers import served
from tests.support.raw import Raw, RawPolling, raw
from tests.support.raw_websocket import CLOSE, TEXT, RawWebSocket, frame
from tests.support.servers import MakeServer

NAMES = ("/", "/third", "/admin")  # in the order in which clients join them
EMPTY_CLOSE = (CLOSE, b"")


class Line(NamedTuple):
    """What a handler saw: its arguments, and how its socket stood."""

    namespace: str
    event: str
    args: list[str]
    rooms: set[str]
    connected: bool
    listed: bool


class Diary:
    """Notes what handlers of all namespaces see, in the order in which they run.

    Attributes:
        sockets: by namespace.
        lines: what was seen.
        handled: events that clients sent.
    """

    def __init__(self, io: trio_sio.Server) -> None:
        self.sockets: dict[str, trio_sio.Socket] = {}
        self.lines: list[Line] = []
        self.handled: list[object] = []
        self._changed = trio.Condition()
        for name in NAMES:
            io.of(name).on("connection", self._came)

    async def _came(self, socket: trio_sio.Socket) -> None:
        await socket.join("red", "blue")
        for event in ("error", "disconnecting", "disconnect"):
            socket.on(event, self._writer(socket, event))
        socket.on("say", self.handled.append)
        async with self._changed:
            self.sockets[socket.nsp.name] = socket
            self._changed.notify_all()

    def _writer(self, socket: trio_sio.Socket, event: str) -> Callable[..., Awaitable[None]]:
        async def write(*args: object) -> None:
            namespace = socket.nsp
            rooms = {"own" if room == socket.id else room for room in socket.rooms}
            line = Line(
                namespace.name,
                event,
                [str(arg) for arg in args],
                rooms,
                socket.connected and not socket.disconnected,
                namespace.connected.get(socket.id) is socket,
            )
            async with self._changed:
                self.lines.append(line)
                self._changed.notify_all()

        return write

    async def came(self) -> None:
        """Wait until a client is in all namespaces."""
        async with self._changed:
            while len(self.sockets) < len(NAMES):
                await self._changed.wait()

    async def read(self, count: int) -> list[Line]:
        """Wait for so many lines, and return them."""
        async with self._changed:
            while len(self.lines) < count:
                await self._changed.wait()
        return self.lines


def before(name: str, event: str, argument: str) -> Line:
    """A line of a socket that is still there."""
    return Line(name, event, [argument], {"own", "red", "blue"}, True, True)


def departure(name: str, reason: str) -> list[Line]:
    """The lines of a socket that leaves."""
    return [
        before(name, "disconnecting", reason),
        Line(name, "disconnect", [reason], set(), False, False),
    ]


def departures(reason: str) -> list[Line]:
    return [line for name in NAMES for line in departure(name, reason)]


async def by_websocket(wire: Raw, diary: Diary) -> RawWebSocket:
    websocket = await wire.joined(*NAMES[1:])
    await diary.came()
    return websocket


async def by_polling(wire: Raw, diary: Diary) -> RawPolling:
    polling = await wire.polling()
    await polling.post(b"9:40/third,9:40/admin,")
    body = b""
    while len(body) < 22:  # how much each poll brings is a matter of moments
        body += (await polling.get())[1]
    assert body == b"9:40/third,9:40/admin,"
    await diary.came()
    return polling


async def test_a_server_that_closes_a_connection_of_three_namespaces(
    make_server: MakeServer,
) -> None:
    """Whichever socket is asked, all leave in the order in which they came."""
    io = make_server()
    for asked in NAMES:
        diary = Diary(io)
        async with served(io) as url, raw(url) as wire:
            websocket = await by_websocket(wire, diary)
            await diary.sockets[asked].disconnect(close=True)
            frames = [await websocket.receive_frame() for _ in range(4)]
            goodbyes = [(TEXT, b"41"), (TEXT, b"41/third,"), (TEXT, b"41/admin,")]
            assert frames == [*goodbyes, EMPTY_CLOSE]
            assert await diary.read(6) == departures("server namespace disconnect")
        io = make_server()


@pytest.mark.parametrize(
    ("data", "reason"),
    [(frame(CLOSE, b""), "transport close"), (frame(TEXT, b"7"), "parse error")],
)
async def test_a_connection_of_three_namespaces_that_ends(
    data: bytes, reason: str, make_server: MakeServer
) -> None:
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.stream.send_all(data)
        assert await websocket.receive_frame() == EMPTY_CLOSE
        assert await diary.read(6) == departures(reason)


async def test_a_poller_in_three_namespaces_that_says_goodbye(make_server: MakeServer) -> None:
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        polling = await by_polling(wire, diary)
        assert await polling.post(b"1:1") == (200, b"ok")
        assert await diary.read(6) == departures("transport close")


async def test_who_left_one_namespace_before_is_not_told_again(make_server: MakeServer) -> None:
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.send("41/third,")
        await diary.read(2)
        await websocket.stream.send_all(frame(CLOSE, b""))
        assert await diary.read(6) == [
            *departure("/third", "client namespace disconnect"),
            *departure("/", "transport close"),
            *departure("/admin", "transport close"),
        ]
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await websocket.stream.send_eof()
        assert await websocket.rest() == b""
    assert len(diary.lines) == 6


async def test_namespaces_that_are_left_in_one_breath(make_server: MakeServer) -> None:
    """In the order of the client's packets; several times, since chance could be right once."""
    leave = b"".join(frame(TEXT, f"41{name}".encode()) for name in ("/admin,", "/third,", ""))
    left = [departure(name, "client namespace disconnect") for name in reversed(NAMES)]
    for _ in range(4):
        diary = Diary(io := make_server())
        async with served(io) as url, raw(url) as wire:
            websocket = await by_websocket(wire, diary)
            await websocket.stream.send_all(leave)
            assert await diary.read(6) == [line for lines in left for line in lines]


async def test_who_comes_back_leaves_last(make_server: MakeServer) -> None:
    """The order is that in which the namespaces were joined, the last time."""
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.send("41/third,")
        await diary.read(2)
        await websocket.send("40/third,")
        assert await websocket.receive() == "40/third,"
        while diary.sockets["/third"].disconnected:  # noqa: ASYNC110 - its handler has yet to run
            await trio.sleep(0.005)
        await websocket.stream.send_all(frame(CLOSE, b""))
        lines = await diary.read(8)
        assert [line.namespace for line in lines[2::2]] == ["/", "/admin", "/third"]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ('42/admin,["say"', "invalid payload"),
        ("4", "invalid payload"),
        ('45["say"]', "Illegal attachments"),
        ('4511-["say"]', "too many attachments"),
        (b"\x04\x00", "got binary data when not reconstructing a packet"),
    ],
)
async def test_all_hear_of_a_packet_that_is_none_before_the_first_leaves(
    data: str | bytes, message: str, make_server: MakeServer
) -> None:
    """ "error" on every socket of the connection, then one departure after the other."""
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.send(data)
        assert await websocket.receive_frame() == EMPTY_CLOSE
        lines = await diary.read(9)
        errors = [line for line in lines if line.event == "error"]
        assert [line.namespace for line in errors] == list(NAMES)
        for line in errors:
            assert line == before(line.namespace, "error", line.args[0])
            assert line.args[0].startswith(message)
        assert lines == [*errors, *departures("forced close")]


LAST_WORDS = frame(TEXT, b'42["say",1]') + frame(TEXT, b'42/admin,["say",2]')


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (frame(CLOSE, b""), "transport close"),
        (frame(TEXT, b"7"), "parse error"),
        (frame(TEXT, b"42[]"), "forced close"),
    ],
)
async def test_the_last_words_are_heard_before_their_socket_leaves(
    data: bytes, reason: str, make_server: MakeServer
) -> None:
    """The reference loses them."""
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.stream.send_all(LAST_WORDS + data)
        assert await websocket.receive_frame() == EMPTY_CLOSE
        await diary.read(9 if reason == "forced close" else 6)
        lines = [line for line in diary.lines if line.event != "error"]
        for name in NAMES:
            assert [line for line in lines if line.namespace == name] == departure(name, reason)
    assert sorted(map(str, diary.handled)) == ["1", "2"]


async def test_last_words_do_not_change_the_order(make_server: MakeServer) -> None:
    diary = Diary(io := make_server())
    async with served(io) as url, raw(url) as wire:
        websocket = await by_websocket(wire, diary)
        await websocket.stream.send_all(LAST_WORDS + frame(CLOSE, b""))
        assert await diary.read(6) == departures("transport close")


async def test_a_socket_speaks_to_its_rooms_while_it_leaves_and_not_afterwards(
    make_server: MakeServer,
) -> None:
    io = make_server()

    @io.on("connection")
    async def came(socket: trio_sio.Socket) -> None:
        await socket.join("red")

    @io.on("disconnecting")
    async def leaves(socket: trio_sio.Socket, reason: str) -> None:
        await socket.to(*socket.rooms).emit("leaves", sorted(await io.in_("red").clients()))

    @io.on("disconnect")
    async def left(socket: trio_sio.Socket, reason: str) -> None:
        await io.in_("red").emit("left", len(await io.in_("red").clients()))

    async with served(io) as url, raw(url) as wire:
        stays, goes = await wire.joined(), await wire.joined()
        ids = sorted(io.sockets.connected)
        while len(await io.in_("red").clients()) < 2:  # noqa: ASYNC110 - their handlers come
            await trio.sleep(0.005)
        await goes.send("41")
        assert await stays.receive() == f'42["leaves",["{ids[0]}","{ids[1]}"]]'
        assert await stays.receive() == '42["left",1]'
        await goes.send("2")
        assert await goes.receive() == "3"  # it heard nothing of either
