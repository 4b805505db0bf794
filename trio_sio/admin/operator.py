"""One operator: what is sent to the page, and what the page may ask for.

======================= =================== =====================================================
event                   arguments           what it does
======================= =================== =====================================================
watch packets           on, session or null shows the packets of one session, or of all
sort                    key, descending     chooses which sessions the table shows
filter                  text                the same
session                 number              answers with the details of a session
disconnect session      number              ends a session
disconnect socket       number, namespace   has one socket leave its namespace
action                  label, arguments    calls a function of the application
======================= =================== =====================================================

Each is answered by an object: with the result, or `{"error": sentence}`. The server sends `hello`
once, `state` each second, and `packets` some times a second; whatever a slow page does not take is
left out, since the next one tells more.
"""

import logging
from collections.abc import Awaitable, Callable, Mapping

import trio

from trio_sio.admin import snapshot
from trio_sio.admin.actions import Action, ActionTable, BadArguments, Value
from trio_sio.admin.notes import Notes
from trio_sio.admin.packets import PacketFeed, row
from trio_sio.admin.sessions import Entry, SessionBook
from trio_sio.exceptions import Refused
from trio_sio.failures import failures
from trio_sio.logs.shown import printable
from trio_sio.logs.throttle import LogThrottle
from trio_sio.router.invocation import function_name
from trio_sio.router.rate_limit import TokenBucket
from trio_sio.router.socket import Socket
from trio_sio.server import Server

logger = logging.getLogger("trio_sio.admin")

STATE_EVERY = 1.0
"""Seconds between two states."""

PACKETS_EVERY = 0.25
"""Seconds between two batches of packets."""

ORDERS_PER_SECOND = 5
ORDERS_AT_ONCE = 20
"""What one operator may ask for."""

MAX_RESULT = 500
"""Characters of an action's result that are shown."""

Answer = dict[str, object]


class Problem(Exception):
    """What was asked for cannot be done; the text is for the operator."""


class _Call:
    """One call of an action.

    Args:
        action: what is called.
        socket: the operator's.
        given: its arguments.
        log: where a failure is told.
    """

    def __init__(
        self, action: Action, socket: Socket, given: Mapping[str, Value], log: LogThrottle
    ) -> None:
        self._result = ""
        self._problem = ""
        self._action = action
        self._socket = socket
        self._given = given
        self._log = log

    def doing(self) -> str:
        """Return whose code it runs; `engine.runtime.stalls` asks if that holds the event loop."""
        return function_name(self._action.function)

    def answer(self) -> Answer:
        """Return the answer for the page, once it has run."""
        return {"error": self._problem} if self._problem else {"done": self._result}

    async def run(self) -> None:
        """Call the function, and keep what became of it."""
        try:
            result = await self._action.function(self._socket, **self._given)
            self._result = "" if result is None else printable(str(result), MAX_RESULT)
        except Refused as refused:
            self._problem = printable(refused.message, MAX_RESULT) or "It was refused."
        except failures() as error:
            self._log.fail(logger, error, "the action %s failed", self.doing())
            kind = type(error).__name__
            self._problem = f"It failed with {kind}; the server's log says more."
        await trio.lowlevel.checkpoint()  # a function that held the event loop is named here


class Operator:
    """One operator's page.

    Args:
        socket: the page's.
        io: the server that is shown.
        book: its sessions.
        actions: buttons of the application.
        notes: what the application has to tell.
        read_only: whether nothing can be changed from the page.
    """

    def __init__(
        self,
        socket: Socket,
        io: Server,
        book: SessionBook,
        actions: ActionTable,
        notes: Notes,
        *,
        read_only: bool,
    ) -> None:
        self._socket = socket
        self._io = io
        self._book = book
        self._actions = actions
        self._notes = notes
        self._read_only = read_only
        self._feed = PacketFeed()
        self._wish = snapshot.Wish()
        self._orders = TokenBucket(ORDERS_PER_SECOND, ORDERS_AT_ONCE, trio.current_time())
        self._answer("watch packets", self._watch_packets)
        self._answer("sort", self._sort)
        self._answer("filter", self._filter)
        self._answer("session", self._details)
        self._answer("disconnect session", self._disconnect_session)
        self._answer("disconnect socket", self._disconnect_socket)
        self._answer("action", self._act)

    def _answer(self, event: str, function: Callable[..., Awaitable[Answer]]) -> None:
        """Have a function answer an event with two arguments, whatever the page sends."""

        async def answer(*args: object) -> Answer:
            try:
                if not self._orders.take(trio.current_time()):
                    raise Problem("That was too much at once; try again in a second.")
                return await function(*(*args, None, None)[:2])
            except (Problem, BadArguments) as problem:
                return {"error": str(problem)}

        self._socket.on(event, answer, concurrent=True)

    # -- what is sent --------------------------------------------------------------------------

    async def push(self, title: str) -> None:
        """Tell the page how things are, until the socket ends.

        Args:
            title: of the view.
        """
        socket = self._socket
        actions = [] if self._read_only else self._actions.rows()
        hello = {"title": title, "read_only": self._read_only, "actions": actions}
        await socket.emit("hello", {**hello, "options": snapshot.options(self._io)})
        try:
            due = -float("inf")
            while True:
                now = trio.current_time()
                if socket.session.writable:  # a poll takes one of the two at a time
                    if now >= due:
                        due = now + STATE_EVERY
                        await socket.volatile.emit("state", await self._state())
                    else:
                        await self._send_packets()
                await trio.sleep(PACKETS_EVERY)
        finally:
            self._book.close_feed(self._feed)

    async def _send_packets(self) -> None:
        packets, missed = self._feed.take()
        if packets or missed:
            rows = [row(one) for one in packets]
            await self._socket.emit("packets", {"rows": rows, "missed": missed})

    async def _state(self) -> Answer:
        return {
            "figures": snapshot.figures(self._io),
            "sessions": await snapshot.sessions(self._io, self._book, self._wish),
            "namespaces": snapshot.namespaces(self._io),
            "ended": [*self._book.ends],
            "notes": self._notes.rows(),
        }

    # -- what the page may ask for -------------------------------------------------------------

    async def _watch_packets(self, on: object, session: object) -> Answer:
        if on is not True:
            self._book.close_feed(self._feed)
            self._feed.take()
            return {"watching": False}
        number = None if session is None else self._find(session).number
        self._feed.watch(number)
        self._book.open_feed(self._feed)
        return {"watching": True, "session": number}

    async def _sort(self, key: object, descending: object) -> Answer:
        if not isinstance(key, str) or key not in snapshot.SORTS:
            raise Problem("The table cannot be sorted by that.")
        self._wish = self._wish._replace(sort=key, descending=descending is True)
        return {}

    async def _filter(self, text: object, _: object) -> Answer:
        if not isinstance(text, str) or len(text) > 100:
            raise Problem("A filter is a text of 100 characters at most.")
        self._wish = self._wish._replace(text=text)
        return {}

    async def _details(self, number: object, _: object) -> Answer:
        return snapshot.details(self._io, self._find(number))

    async def _disconnect_session(self, number: object, _: object) -> Answer:
        self._check_may_change()
        entry = self._find(number)
        self._tell("disconnects session %s", entry.number)
        client = snapshot.find_client(self._io, entry.session)
        if client is None:
            entry.session.close()
        else:
            client.disconnect()
        return {"done": f"Session {entry.number} is being disconnected."}

    async def _disconnect_socket(self, number: object, namespace: object) -> Answer:
        self._check_may_change()
        entry = self._find(number)
        client = snapshot.find_client(self._io, entry.session)
        sockets = client.sockets if client else {}
        for name, socket in sockets.items():
            if namespace == printable(name):
                self._tell("disconnects a socket of session %s", entry.number)
                await socket.disconnect()
                return {"done": f"Session {entry.number} leaves {namespace}."}
        raise Problem("The session is not in this namespace any more.")

    async def _act(self, label: object, arguments: object) -> Answer:
        self._check_may_change()
        action = self._actions.get(label)
        if action is None:
            raise Problem("There is no such action.")
        given = action.checked({} if arguments is None else arguments)
        self._tell("calls %s", function_name(action.function))
        call = _Call(action, self._socket, given, self._io.engine.runtime.log)
        async with trio.open_nursery() as nursery:  # a task of its own, so that a stall is its own
            nursery.start_soon(call.run, name=action.function)
        return call.answer()

    def _find(self, number: object) -> Entry:
        entry = self._book.present.get(number) if type(number) is int else None
        if entry is None:
            raise Problem("This session is not here any more.")
        return entry

    def _check_may_change(self) -> None:
        if self._read_only:
            raise Problem("Nothing can be changed from here: read_only is set.")

    def _tell(self, text: str, *args: object) -> None:
        where = self._socket.request.remote or "somewhere"
        logger.info(f"an operator at %s {text}", where, *args)  # noqa: G004 - a constant of ours
