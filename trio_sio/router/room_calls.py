"""Asking all sockets of a room, and waiting for what they answer."""

import math
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, overload

import trio

from trio_sio.abc import Target
from trio_sio.declared_event import Answer, Arguments, Event
from trio_sio.protocol.socketio.packet import RESERVED_FOR_ALL, Packet, event_packet
from trio_sio.router.audience import Audience
from trio_sio.router.room_answers import Answers

ROOM_TIMEOUT = 30.0
"""Seconds that a call of a room waits unless it is told otherwise."""


class RoomCalls:
    """The verbs that ask; namespaces and broadcasts have them."""

    __slots__ = ()

    def _broadcast(self) -> Any:  # noqa: ANN401 - a `Broadcast`, which stands above
        raise NotImplementedError

    @overload
    async def call(
        self,
        event: Event[Answer, *Arguments],
        *args: *Arguments,
        timeout: float = ...,  # noqa: ASYNC109 - answers are always bounded
    ) -> list[Answer]: ...
    @overload
    async def call(
        self,
        event: str,
        *args: object,
        timeout: float = ...,  # noqa: ASYNC109 - as above
    ) -> list[Any]: ...
    async def call(
        self,
        event: Any,
        *args: object,
        timeout: float = ROOM_TIMEOUT,  # noqa: ASYNC109 - as above
    ) -> list[Any]:
        """Send an event to all sockets that are chosen, and return what they answer.

        Clients of all generations answer one call, under one id. Whoever leaves is no longer waited
        for (in JavaScript he is, until the timeout). With `volatile`, clients that cannot take the
        event at this moment are not asked. (JS: `timeout(ms).emitWithAck(…)` of a room.)

        Args:
            event: the event's name, or a declared event.
            *args: JSON values, with bytes anywhere in them.
            timeout: seconds to wait at most.

        Returns:
            The answers in the order of arrival, each `None`, one value, or a tuple of several.

        Raises:
            TypeError: with `on_overflow`.
            MissingAnswers: not all have answered in time, or one owes `max_pending_acks` answers
                already and was not asked; `.answers` has what has arrived.
            ValueError: the name is reserved, or the timeout is no number of seconds.
            LocalProtocolError: the arguments cannot be sent.
            NotImplementedError: an adapter of the application's own cannot do it.
            RuntimeError: as `emit`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.call")
        async with _begin(chosen, event, args, timeout) as answers:
            with trio.move_on_at(answers.deadline):
                await answers.wait_complete()
        answers.check()
        return answers.arrived

    def answers(
        self, event: str, *args: object, timeout: float = ROOM_TIMEOUT
    ) -> AbstractAsyncContextManager[Answers]:
        """Do what `call` does, with the answers while they come.

            async with io.to("players").answers("ready?", timeout=10) as answers:
                async for answer in answers:
                    ...

        `async for name, answer in answers.named()` tells who has answered, too.

        At the end of the `async with`, nobody is waited for any more, nor after `timeout` seconds
        from its beginning. Then the `async for` raises `MissingAnswers`, if some are missing.

        Args:
            event: as of `call`.
            *args: as of `call`.
            timeout: as of `call`.

        Raises:
            TypeError, ValueError, LocalProtocolError, NotImplementedError, RuntimeError: as `call`.
        """
        chosen = self._broadcast()
        chosen.audience.home.check("io.answers")
        return _begin(chosen, event, args, timeout)


def _begin(
    chosen: Any,  # noqa: ANN401 - as above
    event: str,
    args: tuple[object, ...],
    seconds: float,
) -> AbstractAsyncContextManager[Answers]:
    """Look at what is to be asked; return what asks it."""
    if not 0 <= seconds < math.inf:
        raise ValueError(f"timeout must be a number of seconds, not {seconds!r}")
    if chosen.flags.on_overflow:
        raise TypeError("an event with on_overflow may be dropped, and has no acknowledgement")
    packet = event_packet(event, args, RESERVED_FOR_ALL)
    return _asked(chosen.audience, packet, chosen, seconds)


@asynccontextmanager
async def _asked(
    audience: Audience, packet: Packet, target: Target, seconds: float
) -> AsyncIterator[Answers]:
    """Ask, and take the answers as long as this lasts."""
    answers = Answers(seconds)
    is_in_time = False
    with trio.CancelScope(deadline=answers.deadline) as scope:
        async with audience.ask(packet, target, answers):
            scope.deadline = math.inf
            if not scope.cancel_called:
                is_in_time = True
                answers.begin()
                try:
                    yield answers
                finally:
                    answers.close()
    if not is_in_time:  # the time was over before all could be asked
        answers.close()
        yield answers
