"""Requests to the other servers of a cluster, for one namespace, and who has yet to respond.

A request goes to the channel on which every server listens that has the namespace; the broker says
how many these are. Responses come to everyone, with the id of the request. That begins with the
uid of the server: responses without it are for others, and not even read.

Servers in JavaScript do not respond when they have had sockets join rooms, leave them, or
disconnect. Since they take requests in their order, they are asked for something else behind it.
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass

import trio

from trio_sio.adapters.cluster.pending import Awaiting, Pending, PendingTable
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.exceptions import NoAnswer
from trio_sio.protocol.cluster.v8.request import Request, encode_request
from trio_sio.protocol.cluster.v8.response import Response, decode_response


@dataclass(frozen=True, slots=True)
class Responses:
    """What the other servers have responded.

    Attributes:
        arrived: the responses, in the order of their arrival.
        missing: the servers that did not respond in time, as names for people.
    """

    arrived: Sequence[Response]
    missing: tuple[str, ...]


class RequestsV8:
    """The requests of one namespace.

    Args:
        post: reaches the other servers.
        are_private: only servers of this library hear them.
    """

    def __init__(self, post: Post, *, are_private: bool) -> None:
        self._post = post
        self._are_private = are_private
        self._pending: PendingTable[Response] = PendingTable()
        self._own_channel = b""

    def new_id(self) -> str:
        """Return the id of a request."""
        return f"{self._post.broker.uid}{self._post.member.next_number()}"

    def is_own(self, request: Request) -> bool:
        """Whether this server has sent a request, which now comes back."""
        return request.uid == self._post.broker.uid

    def receive(self, payload: bytes) -> None:
        """Take a message on the channel of responses, if it is for this server.

        Raises:
            RemoteProtocolError: it is not a response.
        """
        if self._pending and self._post.broker.uid.encode() in payload:
            response = decode_response(payload)
            self._pending.take(response.id, response)

    def close(self) -> None:
        """End the requests that are under way: the namespace is gone."""
        self._pending.close()

    @property
    def is_closed(self) -> bool:
        """Whether the namespace is gone."""
        return self._pending.is_closed

    async def count_others(self) -> int | None:
        """Return how many other servers have the namespace; `None` if nobody can say."""
        self._listen_to_own()
        return await self._post.count_others()

    def _listen_to_own(self) -> None:
        """Hear what is for this server alone: JavaScript's `publishOnSpecificResponseChannel`."""
        if self._are_private:
            return
        own = b"%b%b#" % (self._post.channels.response, self._post.broker.uid.encode())
        if own != self._own_channel:
            if self._own_channel:  # this is a copy of the process that had it
                self._post.subscription.discard((self._own_channel,))
            self._own_channel = own
            self._post.subscription.add((own,))

    def is_for_this_server(self, channel: bytes) -> bool:
        """Whether a channel is that of responses for this server alone."""
        return channel == self._own_channel

    def expecting(self, pending: Awaiting[Response], *ids: str) -> AbstractContextManager[None]:
        """Hand over the responses to some requests, as long as this lasts."""
        return self._pending.expecting(pending, *ids)

    # -- asking ------------------------------------------------------------------------------

    async def ask(
        self,
        request: Request,
        name: str,
        *,
        seconds: float | None = None,
        fence: Request | None = None,
        until: Callable[[Response], bool] | None = None,
    ) -> Responses:
        """Ask the other servers, and wait for all responses or the timeout.

        Args:
            request: what is asked.
            name: what a log calls the responses.
            seconds: how long; `None` for the adapter's option.
            fence: what those are asked who do not respond to the request itself.
            until: whether a response is all that is wanted.

        Raises:
            LocalProtocolError: the request cannot be sent.
            NoAnswer: the namespace is gone.
        """
        payload = encode_request(request)
        others: int | None = None
        pending = _Pending(0, until)
        ids = (request.id,) if fence is None else (request.id, fence.id)
        with trio.move_on_after(self._post.timeout if seconds is None else seconds):
            others = await self.count_others()
            pending = _Pending(others or 0, until)
            async with self._pending.turns:
                with self.expecting(pending, *ids):
                    if others:
                        await self._post.request(payload)
                        if fence is not None and not self._are_private:
                            await self._post.request(encode_request(fence))
                    if not self.is_closed:
                        await pending.wait()
                    self._pending.check_open(f"no {name} response")
        if pending.is_satisfied:
            return Responses(pending.responses, ())
        missing = pending.missing_names(others, self._post.broker.peers)
        if missing:
            post = self._post
            post.member.tell_missing(name, post.channels.namespace, missing)
        return Responses(pending.responses, missing)

    async def ask_owner(self, request: Request, name: str) -> None:
        """Have the server that has a socket, which is not this one, do something to it.

        Raises:
            NoAnswer: no server has responded in time, or none can; or the namespace is gone.
        """
        found = await self.ask(request, name, until=lambda _: True)
        if found.arrived:
            return
        if not found.missing:
            raise NoAnswer(f"no server has the socket: no {name} response")
        raise NoAnswer(f"timeout reached while waiting for {name} response")


class _Pending(Pending[Response]):
    """A request that can be satisfied by one response.

    Args:
        expected: how many responses are expected.
        until: whether a response is all that is wanted.

    Attributes:
        is_satisfied: whether that has come.
    """

    __slots__ = ("_until", "is_satisfied")

    def __init__(self, expected: int, until: Callable[[Response], bool] | None) -> None:
        super().__init__(expected)
        self._until = until
        self.is_satisfied = False

    def take(self, response: Response) -> None:
        super().take(response)
        if self._until is not None and self._until(response):
            self.is_satisfied = True
            self.finish()
