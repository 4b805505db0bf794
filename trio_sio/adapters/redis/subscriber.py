"""Hears what other servers publish: one connection, supervised.

While connected, one task reads and passes on messages, waiting for nothing but its stream; another
asks for what is newly wanted, a batch at a time, so what changes while Redis confirms one batch
goes into the next. Whatever ends the connection, it is opened again and everything is asked for
anew. The time between is a gap, which is told.
"""

import math
from collections.abc import Callable, Collection

import trio

from trio_sio.adapters.memory import WORK_LIMIT
from trio_sio.adapters.redis.health import Gap, Health, Part
from trio_sio.adapters.redis.journal import Journal
from trio_sio.adapters.redis.link.backoff import Backoff
from trio_sio.adapters.redis.link.connection import GRACE, Connection, ConnectionLost
from trio_sio.adapters.redis.link.connector import Opens
from trio_sio.adapters.redis.link.keeper import Keeper
from trio_sio.adapters.redis.link.resp import ErrorReply, Message, Push, pack
from trio_sio.adapters.redis.subscriptions import VERBS, Listener, Subscriptions, Verb
from trio_sio.failures import leaves

MESSAGE_WORK = 10
"""What a message counts as besides its deliveries, in deliveries."""


class Subscriber:
    """Listens for the adapters of a server.

    Args:
        opens: opens connections.
        subscriptions: what is wanted.
        backoff: says how long to wait between attempts.
        health: is told what is wrong.
        journal: writes and counts.
        on_connected: is called with each new connection.
        on_hearing: is called when everything is subscribed to, with the gap before it, if any.
        subscribe_timeout: seconds for which `wait` waits.
        command_timeout: seconds for which Redis may be silent with something to confirm.
    """

    def __init__(
        self,
        opens: Opens,
        subscriptions: Subscriptions,
        backoff: Backoff,
        health: Health,
        journal: Journal,
        *,
        on_connected: Callable[[Connection], object],
        on_hearing: Callable[[Gap | None], object],
        subscribe_timeout: float,
        command_timeout: float,
    ) -> None:
        self._opens = opens
        self._subscriptions = subscriptions
        self._keeper = Keeper(self._hear, self._lose, backoff)
        self._health = health
        self._journal = journal
        self._on_connected = on_connected
        self._on_hearing = on_hearing
        self._subscribe_timeout = subscribe_timeout
        self._command_timeout = command_timeout
        self._connection: Connection | None = None
        self._is_hearing = False
        self._deaf: tuple[float, str] | None = None  # since when, and why
        self._changes = trio.lowlevel.ParkingLot()
        self._progress = trio.lowlevel.ParkingLot()

    # -- for adapters --------------------------------------------------------------------------

    @property
    def is_hearing(self) -> bool:
        """Whether Redis has confirmed everything that was wanted when the connection began."""
        return self._is_hearing

    @property
    def endpoint(self) -> object:
        """Where the connection leads; `None` without one."""
        return None if self._connection is None else self._connection.endpoint

    @property
    def last_read(self) -> float:
        """When something came last; `-inf` without a connection."""
        return -math.inf if self._connection is None else self._connection.last_read

    @property
    def subscriptions(self) -> int:
        """How many channels and patterns there are."""
        return len(self._subscriptions) if self._is_hearing else 0

    def open(self, listener: Listener) -> None:
        """Listen for a namespace."""
        self._subscriptions.open(listener)
        self._changes.unpark_all()

    def add(self, listener: Listener, channels: Collection[bytes]) -> None:
        """Listen to rooms."""
        self._subscriptions.add(listener, channels)
        self._changes.unpark_all()

    def discard(self, listener: Listener, channels: Collection[bytes]) -> None:
        """Do not listen to rooms any more."""
        self._subscriptions.discard(listener, channels)
        self._changes.unpark_all()

    def close(self, listener: Listener) -> None:
        """Stop listening for a namespace."""
        self._subscriptions.close(listener)
        self._changes.unpark_all()

    async def wait(self) -> None:
        """Wait until what is wanted now is confirmed, Redis is away, or the time is over."""
        number = self._subscriptions.wanted
        if self._is_confirmed(number):
            return
        with trio.move_on_after(self._subscribe_timeout) as scope:
            while not self._is_confirmed(number):
                await self._progress.park()
        if scope.cancelled_caught:
            seconds = f"{self._subscribe_timeout:g}"
            self._journal.warn("slow", "Redis has not confirmed subscriptions in %s s", seconds)

    def _is_confirmed(self, number: int) -> bool:
        return not self._is_hearing or self._subscriptions.confirmed >= number

    # -- the connection ------------------------------------------------------------------------

    def restart(self, cause: str) -> None:
        """Open another connection: this one does not bring what it should."""
        if self._connection is not None:
            self._keeper.restart(cause)

    async def run(self) -> None:
        """Keep a connection; a task."""
        try:
            await self._keeper.run()
        finally:
            self._is_hearing, self._deaf, self._connection = False, None, None
            self._progress.unpark_all()

    async def _hear(self) -> None:
        connection = await self._opens.open("subscriber")
        self._connection = connection
        try:
            self._on_connected(connection)
            self._subscriptions.begin()
            await self._serve(connection)
        finally:
            await connection.aclose()

    async def _serve(self, connection: Connection) -> None:
        lost: list[ConnectionLost] = []
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._ask, connection)
                await self._read(connection)
        except* ConnectionLost as group:
            lost += [one for one in leaves(group) if isinstance(one, ConnectionLost)]
        raise lost[0]  # reading ends in no other way

    def _lose(self, began: float) -> None:
        connection, self._connection = self._connection, None
        if self._is_hearing and connection is not None:
            self._is_hearing = False
            self._deaf = connection.last_read, self._keeper.cause
        elif self._deaf is None:
            self._deaf = began, self._keeper.cause
        problem = f"Redis cannot be heard: {self._keeper.cause}"
        self._journal.warn("subscriber", "%s", problem)
        self._progress.unpark_all()
        self._health.find(Part.SUBSCRIBER, problem)

    # -- asking --------------------------------------------------------------------------------

    async def _ask(self, connection: Connection) -> None:
        """Send what is wanted, and wait for the confirmation of each batch."""
        subscriptions = self._subscriptions
        while True:
            while subscriptions.has_more:
                commands = subscriptions.take()
                if commands:
                    packed = [pack(verb.name.encode(), *names) for verb, names in commands]
                    await connection.send(b"".join(packed))
                    await self._wait_confirmed(connection)
                self._progress.unpark_all()
            if not self._is_hearing:
                self._hear_again()
            await self._changes.park()

    async def _wait_confirmed(self, connection: Connection) -> None:
        subscriptions = self._subscriptions
        asked, missed = trio.current_time(), math.inf
        while subscriptions.confirmed < subscriptions.taken:
            deadline = max(asked, connection.last_read) + self._command_timeout
            if deadline == missed:
                seconds = f"{self._command_timeout:g}"
                raise ConnectionLost(f"Redis has not confirmed subscriptions in {seconds} s")
            if trio.current_time() >= deadline:
                missed, deadline = deadline, trio.current_time() + GRACE
            with trio.move_on_at(deadline):
                await self._progress.park()

    def _hear_again(self) -> None:
        self._is_hearing = True
        deaf, self._deaf = self._deaf, None
        self._health.find(Part.SUBSCRIBER, "")
        if deaf is None:
            self._on_hearing(None)
        else:
            since, cause = deaf
            self._on_hearing(Gap(since, trio.current_time(), cause))

    # -- reading -------------------------------------------------------------------------------

    async def _read(self, connection: Connection) -> None:
        while True:
            await connection.read()
            work = 0
            for reply in connection.replies():
                if isinstance(reply, Message):
                    work += MESSAGE_WORK + self._deliver(reply)
                    if work >= WORK_LIMIT:
                        work = 0
                        await trio.lowlevel.checkpoint()
                elif isinstance(reply, Push):
                    self._take(reply)
                elif isinstance(reply, ErrorReply):
                    self._take_refusal(reply)

    def _deliver(self, message: Message) -> int:
        pattern, channel, payload = message
        try:
            if pattern:
                return self._subscriptions.deliver_by_pattern(pattern, channel, payload)
            return self._subscriptions.deliver(channel, payload)
        except Exception as error:
            self._journal.count_invalid(error)
            return 0

    def _take(self, push: Push) -> None:
        match push:
            case [bytes(kind), bytes(channel), _] if kind in VERBS:
                self._confirm(VERBS[kind], channel)

    def _confirm(self, verb: Verb, channel: bytes) -> None:
        try:
            self._subscriptions.confirm(verb, channel)
        except ValueError as error:
            raise ConnectionLost(str(error)) from None
        if self._subscriptions.confirmed == self._subscriptions.taken:
            self._progress.unpark_all()

    def _take_refusal(self, reply: ErrorReply) -> None:
        try:
            verb = self._subscriptions.refuse()
        except ValueError as error:
            raise ConnectionLost(f"{error}: {reply.text}") from None
        if verb is not Verb.PSUBSCRIBE:
            name = verb.value.decode().upper()
            raise ConnectionLost(f"Redis refuses {name}: {reply.text}", is_refusal=True)
        text = "Redis refuses patterns, so each room keeps its own subscription: %s"
        self._journal.warn("pattern", text, reply.text)
        self._progress.unpark_all()
