"""`RemoteSocket`: what is known here of a socket of another server of the cluster."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from trio_sio.abc import Room, SocketId
from trio_sio.exceptions import Disconnected
from trio_sio.router.broadcast import Broadcast
from trio_sio.router.handshake import Handshake
from trio_sio.router.room_calls import ROOM_TIMEOUT


@dataclass(frozen=True, slots=True)
class RemoteSocket:
    """A socket of another server, as it was when it was fetched (JS: `RemoteSocket`).

    What it does goes to its server, to the room of its id. If it has left by then, nothing happens.

    Attributes:
        id: its own; the room of that name is its own, too.
        handshake: what is known from the handshake.
        rooms: the rooms it was in.
        data: the application's own, as far as it could be sent; a copy.
    """

    id: SocketId
    handshake: Handshake
    rooms: frozenset[Room]
    data: Mapping[str, Any]
    _room: Broadcast = field(repr=False, compare=False)

    async def emit(self, event: str, *args: object) -> None:
        """Send an event to its client.

        Args:
            event: the event's name, or a declared event.
            *args: JSON values, with bytes anywhere in them.

        Raises:
            ValueError, LocalProtocolError, RuntimeError: as `Broadcast.emit`.
        """
        await self._room.emit(event, *args)

    async def call(
        self,
        event: str,
        *args: object,
        timeout: float = ROOM_TIMEOUT,  # noqa: ASYNC109 - an answer is always bounded
    ) -> Any:  # noqa: ANN401 - whatever the client says
        """Send an event and wait for the client's answer.

        If others are in the room of its id, they are asked, too. With `generation=4`, where nobody
        says which client an answer is from, the first one counts.

        Args:
            event: as of `emit`.
            *args: as of `emit`.
            timeout: seconds to wait.

        Returns:
            What the client answered: `None`, one value, or a tuple of several.

        Raises:
            MissingAnswers: there was no answer in time.
            Disconnected: it has left.
            ValueError, LocalProtocolError, RuntimeError: as `Broadcast.call`.
        """
        async with self._room.answers(event, *args, timeout=timeout) as answers:
            count = 0
            async for answer in answers:
                if answers.answered[count] == self.id:
                    return answer  # that of others in the room of its id does not matter
                count += 1
        if not answers.arrived:
            raise Disconnected
        return answers.arrived[0]

    async def join(self, *rooms: Room) -> None:
        """Join rooms; when it returns, it holds.

        Raises:
            TypeError, NoAnswer, RuntimeError: as `Broadcast.sockets_join`.
        """
        await self._room.sockets_join(*rooms)

    async def leave(self, room: Room) -> None:
        """Leave a room; leaving one that it is not in is fine.

        Raises:
            TypeError, NoAnswer, RuntimeError: as `Broadcast.sockets_leave`.
        """
        await self._room.sockets_leave(room)

    async def disconnect(self, close: bool = False) -> None:
        """Leave the namespace.

        Args:
            close: leave all namespaces and close the connection.

        Raises:
            NoAnswer, RuntimeError: as `Broadcast.disconnect_sockets`.
        """
        await self._room.disconnect_sockets(close)
