"""One client: a session and its sockets in the namespaces it has joined (JS: `Client`).

`run` is the reader: it pulls messages, makes packets of them and routes each. "/" is joined by
every client at once; other namespaces wait until it is.
"""

import logging
from collections.abc import Awaitable
from functools import partial
from typing import TYPE_CHECKING, Any

import trio

from trio_sio.abc import Session
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.exceptions import Disconnected, Refused, RemoteProtocolError
from trio_sio.failures import failures, sort
from trio_sio.logs.events import event_log
from trio_sio.logs.shown import quoted, short_id
from trio_sio.protocol.engineio.handshake import Query
from trio_sio.protocol.socketio.packet import RESERVED_EVENTS, Packet, PacketType
from trio_sio.router.backlog import tell_backlog
from trio_sio.router.control import send_control
from trio_sio.router.entrance import BROKEN, admit
from trio_sio.router.flood import watch_flood
from trio_sio.router.handshake import split_namespace
from trio_sio.router.intake import Intake
from trio_sio.router.namespace import Namespace, ParentNamespace
from trio_sio.router.order import EventOrder
from trio_sio.router.socket import Socket

if TYPE_CHECKING:
    from trio_sio.router.router import Found, Router

logger = logging.getLogger("trio_sio.router")

_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT, PacketType.ERROR)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)


class Client:
    """One client.

    Attributes:
        session: the Engine.IO session (JS: `conn`).
        sockets: the client's sockets, by namespace, in the order they joined.
        router: the server's router.
        order: that of the client's events.
        log: writes what happens to it; `None` if nobody wants to know.
    """

    def __init__(self, router: "Router", session: Session) -> None:
        self.router = router
        self.session = session
        self.sockets: dict[str, Socket] = {}
        self._joining: dict[str, Socket | None] = {}
        self._asking: dict[str, trio.CancelScope] = {}
        self._waiting: dict[str, tuple[Query, Namespace | ParentNamespace]] = {}
        self._root_joined = False
        self.log = event_log(session.id)
        self.order = EventOrder()
        self._intake = Intake(session, router.limits, self.sockets, router.log)
        self._flood = watch_flood(session, router.limits, router.log)
        self._present = 0  # sockets that have not departed
        self._departed: trio.Event | None = None  # the reader waits until one has
        self._leaving: Socket | None = None  # the last that began to end, and has not ended
        session.on_backlog(self._tell_backlog)

    @property
    def conn(self) -> Session:
        """The session, by JavaScript's name."""
        return self.session

    @property
    def request(self) -> Any:  # noqa: ANN401 - the engine's Request, which this room cannot see
        """The handshake request."""
        return self.session.request

    @property
    def id(self) -> str:
        """The session id."""
        return self.session.id

    async def run(self) -> None:
        """Read and route, until the session ends."""
        decoder, intake = self.router.make_decoder(), self._intake
        self.router.clients.add(self)
        error: RemoteProtocolError | None = None
        try:
            await self._join("/", {}, self.router.root)
            while True:
                message = await self.session.receive()
                packet = decoder.feed(message)
                if packet is None or intake.is_watchful:
                    intake.look(message, packet, decoder)
                if packet is not None:
                    await self._route(packet)
                del message, packet  # or they stay, 100 MB perhaps, until the next one comes
        except Disconnected:
            pass
        except RemoteProtocolError as broken:
            self.session.explain(Explanation(str(broken)))
            error = broken
        finally:
            intake.end()
            self._end(error)
            self.router.clients.discard(self)
            del error  # its traceback holds us, and the message that it is about

    async def wait_heard(self) -> None:
        """Return when nothing of what the client has sent is half here, or unread."""
        session, intake = self.session, self._intake
        await session.wait_heard()
        while intake.is_midway and not session.closed:
            await intake.wait_whole()
            await session.wait_heard()

    def _end(self, error: RemoteProtocolError | None) -> None:
        if error is not None:
            self.session.close(DisconnectReason.FORCED_CLOSE)
        for scope in self._asking.values():  # nobody waits for what they answer
            scope.cancel()
        reason = self.session.reason or DisconnectReason.SERVER_SHUTTING_DOWN
        leaving = self._sockets()
        if error is not None and leaving:
            leaving[0].witnesses = leaving
        for socket in leaving:
            socket.end(reason, error)

    def _sockets(self) -> list[Socket]:
        """Return those that have joined, and then those that are about to."""
        joining = [socket for socket in self._joining.values() if socket is not None]
        return [*self.sockets.values(), *joining]

    # -- routing ---------------------------------------------------------------------------

    async def _route(self, packet: Packet) -> None:
        kind = packet.type
        if kind is PacketType.CONNECT:
            await self._connect(packet)
            return
        socket = self.sockets.get(packet.namespace)
        if socket is None:
            if self.log is not None:
                name = split_namespace(packet.namespace)[0]
                self.log.ignored(name, f"{kind.name} is ignored: the client has not joined it")
            return  # not joined, or not yet: the reference ignores it too
        if kind in _EVENTS:
            self.router.counters.events_in += 1
            if self._flood is not None and not await self._flood.admits(socket.send_error):
                return
            if kind is not PacketType.ERROR and not _is_for_handlers(packet):
                if self.log is not None:
                    self.log.ignored(packet.namespace, "EVENT is ignored: its name is reserved")
                return
            try:
                socket.inbox.put_nowait(packet)
            except trio.WouldBlock:
                await socket.inbox.put(packet)
        elif kind in _ACKS:
            if self.log is not None:
                self.log.acknowledged(packet.namespace, packet.id, by_client=True)
            args: list[object] = [*packet.args]
            callback = socket.acks.resolve(packet.id, args)
            if callback is not None:
                await socket.run_callback(callback, args)
        else:
            socket.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)

    async def _connect(self, packet: Packet) -> None:
        """Join a namespace or refuse it, in the order of asking unless that takes time."""
        name, query = split_namespace(packet.namespace)
        if name in self.sockets or name in self._joining or name in self._waiting:
            return  # joined already; the reference makes a second socket of the same id
        refusal = await self._why_not(name)
        if refusal:
            self._refuse(name, refusal)
            return
        found = self.router.find(
            name, query, partial(self._report, "the function of a dynamic namespace", name)
        )
        if isinstance(found, Awaitable):
            self._joining[name] = None
            self.session.nursery.start_soon(self._ask, name, query, found)
        else:
            await self._enter(name, query, found)

    async def _why_not(self, name: str) -> str:
        """Return why the client may not join another namespace, `""` if it may."""
        if self._flood is not None:
            too_fast = await self._flood.refusal(partial(self._refuse, name))
            if too_fast:
                return too_fast
        await self._wait_departures()
        return self._intake.refuse_namespace(len(self._joining) + len(self._waiting))

    async def _wait_departures(self) -> None:
        """Sockets that have left count until their handlers are done: wait if they are in the way.

        A client that joins and leaves in turn would otherwise have any number of them.
        """
        while True:
            leaving = self._present - len(self._sockets())
            staying = len(self.sockets) + len(self._joining) + len(self._waiting)
            if not leaving or staying + leaving < self.router.limits.max_namespaces:
                break
            if self._departed is None:
                self._departed = trio.Event()
            await self._departed.wait()

    def _report(self, who: str, name: str, error: BaseException) -> None:
        """Something that the application has to make a namespace with has failed."""
        found = sort(error, Refused)  # a refusal is as good as `False`
        if found.failure is not None:
            if self.session.raise_errors:
                raise error
            self.router.log.fail(logger, found.failure, f"{who} failed for %s", quoted(name))
        if found.exits is not None:
            raise found.exits

    async def _ask(self, name: str, query: Query, answer: "Awaitable[Found]") -> None:
        """Wait for what the function of a dynamic namespace says, as long as the client stays."""
        found: Found = None
        try:
            with trio.CancelScope() as self._asking[name]:
                found = await answer
        finally:
            del self._asking[name]
            self._joining.pop(name, None)
        await self._enter(name, query, found)

    async def _enter(self, name: str, query: Query, found: "Found") -> None:
        if found is None:
            line, sid = "session %s asked for the namespace %s; %s", short_id(self.id)
            why = self.router.explain_absence()
            self.router.log.tell(logger, logging.WARNING, "namespace", line, sid, quoted(name), why)
            self._refuse(name)
        elif name == "/" or self._root_joined:
            await self._join(name, query, found)
        else:
            self._waiting[name] = query, found

    async def _join(self, name: str, query: Query, found: Namespace | ParentNamespace) -> None:
        """Join a namespace: at once if nobody has to be asked, else in a task."""
        if self.session.closed:  # nobody would end the socket
            return
        try:
            namespace = self.router.adopt(name, found)
        except failures() as error:  # of what makes its adapter
            self._refuse(name, BROKEN)
            self._report("what makes the adapter", name, error)
            return
        socket = Socket(self, namespace, query)
        namespace.users += 1
        former = namespace.sockets.get(socket.id)
        if former is not None:
            former.gone = former.gone or trio.Event()  # now, since it may be gone by the next round
            self._joining[name] = None
            self.session.nursery.start_soon(self._succeed, socket, former.gone)
            return
        self._joining[name] = socket
        self._present += 1
        if namespace.chain():
            self._start(socket)
            await self._let_begin(name)
            return
        try:
            await admit(socket)
        finally:  # however that went, `run` cleans up
            self._start(socket)

    def _start(self, socket: Socket) -> None:
        socket.inbox.expect_reader()
        self.session.nursery.start_soon(socket.run)

    async def _let_begin(self, name: str) -> None:
        """Give the middleware that far that what need not wait joins before the next one asks."""
        if name != "/":  # nobody is before it or beside it
            await trio.lowlevel.checkpoint()  # after one round it may have begun,
            await trio.lowlevel.checkpoint()  # after two it has

    async def _succeed(self, socket: Socket, gone: trio.Event) -> None:
        """Join when the client's former socket no longer occupies its id there."""
        name = socket.namespace.name
        is_free = False
        try:
            await gone.wait()
            is_free = not self.session.closed  # or nobody would end the socket
        finally:
            if not is_free:
                self._joining.pop(name, None)
                self.router.release(socket.namespace)
        if not is_free:
            return
        self._joining[name] = socket
        self._present += 1
        socket.inbox.expect_reader()
        await socket.run()

    def _refuse(self, name: str, text: str = "Invalid namespace") -> None:
        """Send an ERROR packet for a namespace that does not exist, or cannot be joined."""
        if self.log is not None:
            self.log.refused(name, text)
        self.router.counters.refused["namespace"] += 1
        packet = Packet(PacketType.ERROR, name, text)
        send_control(self.session, self.router.encoder, packet)

    # -- what sockets report ---------------------------------------------------------------

    def joined(self, socket: Socket) -> None:
        """A socket has been let in."""
        name = socket.namespace.name
        self._joining.pop(name, None)
        if not self._joining:
            self._joining = {}  # a table that was used once takes 170 bytes more
        self.sockets[name] = socket
        self.router.counters.joins += 1
        if self.log is not None:
            self.log.joined(name)
        self.session.trust()
        self._intake.trust()
        if name == "/" and not self._root_joined:
            self._root_joined = True
            if self._waiting:
                self.session.nursery.start_soon(self._join_waiting)

    async def _join_waiting(self) -> None:
        """Join what has waited for "/"; until its turn has come, each counts as waiting."""
        while self._waiting:
            name = next(iter(self._waiting))
            query, found = self._waiting.pop(name)
            await self._join(name, query, found)
        self._waiting = {}  # as `_joining`

    def left(self, socket: Socket) -> None:
        """A socket begins to end; it departs behind the one that began before it."""
        if self._leaving is not None:
            self._leaving.departed = socket.after = trio.Event()
        self._leaving = socket
        name = socket.namespace.name
        if self.log is not None:
            self.log.left(name, socket.reason)
        for table in (self.sockets, self._joining):
            if table.get(name) is socket:
                del table[name]

    def departed(self, socket: Socket) -> None:
        """A socket has run its last handler."""
        if self._leaving is socket:
            self._leaving = None
        if socket.departed is not None:
            socket.departed.set()
        self._present -= 1
        if self._departed is not None:
            self._departed.set()
            self._departed = None
        self.router.release(socket.namespace)

    def _tell_backlog(self, is_behind: bool) -> None:
        for socket in tuple(self.sockets.values()):
            tell_backlog(socket, is_behind)

    def disconnect(self) -> None:
        """Leave all namespaces, in the order they were joined, and close the connection."""
        for socket in tuple(self.sockets.values()):
            socket.kick()
        self.session.close(DisconnectReason.SERVER_NAMESPACE_DISCONNECT)


def _is_for_handlers(packet: Packet) -> bool:
    """Whether an event is one that the application's handlers may hear.

    A client must not be able to set off `disconnect` handlers by a name.
    """
    data = packet.data
    if not isinstance(data, list) or not data:
        return False
    name = data[0]  # or a number, of which none is reserved
    return not isinstance(name, str) or name not in RESERVED_EVENTS
