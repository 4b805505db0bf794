"""What servers of socket.io-redis 5 take part in, when many sockets are meant at once.

They hear none of our questions. But they tell which clients are in some rooms, and they have a
client join or leave a room, or disconnect, one at a time. So `sockets_join` and the like reach
their clients, too; and of `call` and `fetch_sockets`, it is known which clients are missing.
"""

from collections.abc import Awaitable, Callable, Collection

import trio

from trio_sio.abc import Room, SocketId, Target
from trio_sio.adapters.cluster.broker import Broker
from trio_sio.adapters.cluster.many.asking import Asking
from trio_sio.adapters.cluster.requests import Requests
from trio_sio.exceptions import NoAnswer
from trio_sio.protocol.cluster.channels import Channels
from trio_sio.protocol.cluster.request import RequestKind, Response

AT_A_TIME = 100
"""Clients of such servers that are told something at a time."""


class Elders:
    """The servers of socket.io-redis 5 in a cluster.

    Args:
        broker: carries messages.
        channels: the namespace's.
        requests: asks all servers, one thing at a time.
        asking: asks those of this library.
    """

    def __init__(
        self, broker: Broker, channels: Channels, requests: Requests, asking: Asking
    ) -> None:
        self._broker = broker
        self._channels = channels
        self._requests = requests
        self._asking = asking

    async def find(self, target: Target) -> tuple[set[SocketId], tuple[str, ...]]:
        """Return which of their clients a target names, and who has not said so in time."""
        ours = await self._asking.count_others()
        everybody = await self._broker.count_subscribers(self._channels.request)
        if ours is None or everybody is None or everybody - 1 <= ours:
            return set(), ()
        found, missing = await self._clients(target.rooms)
        if found and target.excepted:
            excepted, unsaid = await self._clients(target.excepted)
            found -= excepted | target.excepted
            missing = tuple(dict.fromkeys((*missing, *unsaid)))
        return found, missing

    async def _clients(self, rooms: Collection[Room]) -> tuple[set[SocketId], tuple[str, ...]]:
        request = self._requests.make(RequestKind.CLIENTS, rooms=tuple(rooms))
        here = Response(request.id, node=self._broker.uid)
        responses = await self._requests.ask_all(request, here)
        theirs = [each.clients for each in responses.arrived if each.node is None]
        return {one for clients in theirs for one in clients}, responses.missing

    async def tell(
        self, target: Target, command: Callable[[SocketId], Awaitable[None]]
    ) -> tuple[str, ...]:
        """Have each of their clients that a target names do something.

        Args:
            target: which clients.
            command: asks for one of them; raises `NoAnswer`.

        Returns:
            The clients that were not told in time, and the servers that did not say whom they have.
        """
        found, missing = await self.find(target)
        unanswered: list[str] = []

        async def tell_one(client: SocketId) -> None:
            try:
                await command(client)
            except NoAnswer:  # it may have left
                unanswered.append(client)

        clients = sorted(found)
        for start in range(0, len(clients), AT_A_TIME):
            async with trio.open_nursery() as nursery:
                for client in clients[start : start + AT_A_TIME]:
                    nursery.start_soon(tell_one, client)
        return (*missing, *sorted(unanswered))
