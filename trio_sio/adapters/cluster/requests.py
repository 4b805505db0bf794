"""Requests to the other servers of a cluster, for one namespace, and who has yet to respond.

A request goes to the channel on which every server listens that has the namespace; the broker says
how many these are. Which of them responds depends on the kind:

    everyone                    clients, all_rooms, custom_request
    whoever has the socket      client_rooms, remote_join, remote_leave, remote_disconnect

Responses come on a channel of their own, to everyone, with the id of the request. That begins with
the uid of the server, by which a server recognizes its own requests when they come back.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

import trio

from trio_sio.adapters.cluster.broker import Broker, Subscription
from trio_sio.adapters.cluster.member import Member
from trio_sio.exceptions import NoAnswer
from trio_sio.logs.shown import printable
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import Request, RequestKind, Response, encode_request
from trio_sio.protocol.socketio.foreign import Default

MAX_PENDING = 1000
"""Requests of a namespace under way at a time; further ones wait for their turn."""

NAMES = {
    RequestKind.CLIENTS: "clients",
    RequestKind.CLIENT_ROOMS: "rooms",
    RequestKind.ALL_ROOMS: "allRooms",
    RequestKind.REMOTE_JOIN: "remoteJoin",
    RequestKind.REMOTE_LEAVE: "remoteLeave",
    RequestKind.CUSTOM_REQUEST: "customRequest",
    RequestKind.REMOTE_DISCONNECT: "remoteDisconnect",
}
"""What JavaScript's errors call the responses."""

UNREACHABLE = "the other servers, which cannot be reached"
HERE = "this server"

Hook = Callable[[Request], Awaitable[Response]]
"""Answers a request for this server, and may take its time."""


class Pending:
    """A request that waits for responses.

    Args:
        expected: how many are expected.
        here: what this server responds, if that is known already.

    Attributes:
        responses: what has arrived, in that order.
        nodes: which servers that is from, of those that say so.
    """

    __slots__ = ("_done", "_expected", "_is_cut", "nodes", "responses")

    def __init__(self, expected: int, here: Response | None = None) -> None:
        self.responses: list[Response] = []
        self.nodes: set[str] = set()
        self._expected = expected
        self._is_cut = False
        self._done = trio.Event()
        if here is not None:
            self.take(here)

    @property
    def missing(self) -> int:
        """How many responses have not arrived."""
        return self._expected - len(self.responses)

    def take(self, response: Response) -> None:
        """Take a response, unless that server has responded, or enough have."""
        if not self.missing or response.node in self.nodes:
            return
        if response.node is not None:
            self.nodes.add(response.node)
        self.responses.append(response)
        if not self.missing:
            self._done.set()

    def cut(self) -> None:
        """Expect no more: the namespace is gone."""
        self._is_cut = True
        self._done.set()

    async def wait(self) -> bool:
        """Wait until all responses have arrived; return whether they have."""
        await self._done.wait()
        return not self._is_cut


@dataclass(frozen=True, slots=True)
class Responses:
    """What the servers of a cluster have responded.

    Attributes:
        arrived: the responses, this server's among them, in the order of their arrival.
        missing: the servers that did not respond in time, as names for people.
    """

    arrived: Sequence[Response]
    missing: tuple[str, ...]


class Requests:
    """The requests of one namespace.

    Args:
        broker: carries them.
        channels: the namespace's.
        subscription: hears the responses.
        member: this server.
        timeout: seconds in which all responses have to arrive.
    """

    def __init__(
        self,
        broker: Broker,
        channels: Channels,
        subscription: Subscription,
        member: Member,
        timeout: float,
    ) -> None:
        self._broker = broker
        self._channels = channels
        self._subscription = subscription
        self._member = member
        self._timeout = timeout
        self._pending: dict[str, Pending] = {}
        self._turns = trio.Semaphore(MAX_PENDING)
        self._is_closed = False

    def make(self, kind: RequestKind, **fields: object) -> Request:
        """Return a request with an id of its own."""
        return Request(f"{self._broker.uid}{self._member.next_number()}", kind, **fields)  # type: ignore[arg-type]  # as the caller knows

    def is_own(self, request: Request) -> bool:
        """Whether this server has sent a request, which now comes back."""
        return request.id.startswith(self._broker.uid)

    @property
    def are_pending(self) -> bool:
        """Whether any response is waited for."""
        return bool(self._pending)

    def take(self, response: Response) -> None:
        """Take a response of another server; one that nobody waits for is ignored."""
        pending = self._pending.get(response.id)
        if pending is not None:
            pending.take(response)

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self._is_closed = True
        for pending in self._pending.values():
            pending.cut()

    # -- asking ------------------------------------------------------------------------------

    async def ask_all(
        self,
        request: Request,
        here: Response | None = None,
        hook: Hook | None = None,
        default: Default | None = None,
    ) -> Responses:
        """Ask every server that has the namespace, and wait for all responses or the timeout.

        Args:
            request: what is asked.
            here: what this server responds.
            hook: or what finds that out, while the others are asked.
            default: option `json_default`, for the data of the request.

        Raises:
            LocalProtocolError: the request cannot be sent.
            NoAnswer: the namespace is gone.
        """
        payload = encode_request(request, default)
        others: int | None = None
        pending = Pending(1, here)
        with trio.move_on_after(self._timeout):
            others = await self._count_others()
            pending = Pending((others or 0) + 1, here)
            async with self._expecting(request, pending):
                if others:
                    await self._broker.publish(self._channels.request, payload)
                if hook is not None:
                    pending.take(await hook(request))
                await self._finish(request, pending)
        missing = self._missing(others, pending)
        if missing:
            self._tell_missing(request, missing)
        return Responses(pending.responses, missing)

    async def ask_owner(self, request: Request) -> Response:
        """Ask the server that has a socket, which is not this one.

        Raises:
            LocalProtocolError: the request cannot be sent.
            NoAnswer: no server has responded in time, or none can; or the namespace is gone.
        """
        name = NAMES[request.kind]
        payload = encode_request(request)
        pending = Pending(1)
        with trio.move_on_after(self._timeout):
            others = await self._count_others()
            if others is None:
                raise NoAnswer(f"the other servers cannot be reached: no {name} response")
            if not others:
                raise NoAnswer(f"no server has the socket: no {name} response")
            async with self._expecting(request, pending):
                await self._broker.publish(self._channels.request, payload)
                await self._finish(request, pending)
                return pending.responses[0]
        raise NoAnswer(f"timeout reached while waiting for {name} response")

    async def _count_others(self) -> int | None:
        """Return how many other servers have the namespace; `None` if nobody can say."""
        await self._subscription.wait()  # or this server would not be among those counted
        count = await self._broker.count_subscribers(self._channels.request)
        return None if count is None else max(count - 1, 0)

    @asynccontextmanager
    async def _expecting(self, request: Request, pending: Pending) -> AsyncIterator[None]:
        async with self._turns:
            if self._is_closed:
                raise self._gone(request)
            self._pending[request.id] = pending
            try:
                yield
            finally:
                del self._pending[request.id]

    async def _finish(self, request: Request, pending: Pending) -> None:
        if not await pending.wait():
            raise self._gone(request)

    def _gone(self, request: Request) -> NoAnswer:
        return NoAnswer(f"the namespace was dropped: no {NAMES[request.kind]} response")

    # -- who has not responded ---------------------------------------------------------------

    def _missing(self, others: int | None, pending: Pending) -> tuple[str, ...]:
        """Return who has not responded, as far as that is known."""
        uid, peers = self._broker.uid, self._broker.peers
        silent = [name for one, name in peers.items() if one not in pending.nodes]
        here = () if uid in pending.nodes else (HERE,)
        if others is None:
            return (*here, *(silent or [UNREACHABLE]))
        count = pending.missing - len(here)
        if count < len(silent):  # some of them do not have the namespace
            some = (f"{count} of {', '.join(silent)}",) if count else ()
            return (*here, *some)
        unknown = count - len(silent)
        return (*here, *silent, *_nameless(unknown))

    def _tell_missing(self, request: Request, missing: tuple[str, ...]) -> None:
        self._member.counters.unanswered += 1
        name = NAMES[request.kind]
        text = "the %s response for %s is incomplete: missing %s"
        shown = printable(self._channels.namespace), printable(", ".join(missing), 200)
        self._member.tell(("unanswered", name), text, name, *shown)


def _nameless(count: int) -> tuple[str, ...]:
    if count == 1:
        return ("1 node that does not announce itself",)
    return (f"{count} nodes that do not announce themselves",) if count else ()
