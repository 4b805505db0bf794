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

from trio_sio.adapters.cluster.broker import Broker, Subscription, count_others
from trio_sio.adapters.cluster.member import Member
from trio_sio.adapters.cluster.pending import Pending, PendingTable
from trio_sio.exceptions import NoAnswer
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import Request, RequestKind, Response, encode_request
from trio_sio.protocol.socketio.foreign import Default

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

Hook = Callable[[Request], Awaitable[Response]]
"""Answers a request for this server, and may take its time."""


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
        self._pending: PendingTable[Response] = PendingTable()

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
        self._pending.take(response.id, response)

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self._pending.close()

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
        missing = pending.missing_names(others, self._broker.peers, here=self._broker.uid)
        if missing:
            name = NAMES[request.kind]
            self._member.tell_missing(name, self._channels.namespace, missing)
        return Responses(pending.responses, missing)

    async def ask_owner(self, request: Request) -> Response:
        """Ask the server that has a socket, which is not this one.

        Raises:
            LocalProtocolError: the request cannot be sent.
            NoAnswer: no server has responded in time, or none can; or the namespace is gone.
        """
        name = NAMES[request.kind]
        payload = encode_request(request)
        pending = Pending[Response](1)
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
        return await count_others(self._broker, self._subscription, self._channels.request)

    @asynccontextmanager
    async def _expecting(self, request: Request, pending: Pending[Response]) -> AsyncIterator[None]:
        async with self._pending.turns:
            self._pending.check_open(f"no {NAMES[request.kind]} response")
            with self._pending.expecting(pending, request.id):
                yield

    async def _finish(self, request: Request, pending: Pending[Response]) -> None:
        await pending.wait()
        self._pending.check_open(f"no {NAMES[request.kind]} response")
