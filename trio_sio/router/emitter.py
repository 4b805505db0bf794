"""Sending to one socket: `emit`, `call` and the flags that go with them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, overload

import trio

from trio_sio.abc import NO_FLAGS, Flags, SocketId
from trio_sio.declared_event import Answer, Arguments, Event
from trio_sio.router.broadcast import Broadcast, FlagMethods, RoomMethods, with_flags
from trio_sio.router.handlers import as_result
from trio_sio.router.sender import EventSender
from trio_sio.sync import THREAD

CALL_TIMEOUT = 30.0
"""Seconds that `call` waits unless it is told otherwise."""


class Emitter(RoomMethods, FlagMethods["Flagged"]):
    """What a socket, and a socket with flags, can send.

    Attributes:
        id: the socket's.
        sender: the way to its client.
        flags: how events are sent.
    """

    __slots__ = ()

    id: SocketId
    sender: EventSender
    flags: Flags = NO_FLAGS

    @overload
    async def emit(
        self,
        event: Event[Any, *Arguments],
        *args: *Arguments,
        ack: Callable[..., object] | None = ...,
    ) -> None: ...
    @overload
    async def emit(
        self, event: str, *args: object, ack: Callable[..., object] | None = ...
    ) -> None: ...
    async def emit(
        self, event: Any, *args: object, ack: Callable[..., object] | None = None
    ) -> None:
        """Send an event to this client; waits while its outbox is full (JS: `emit`).

        Args:
            event: the event's name, or a declared event.
            *args: JSON values, with bytes anywhere in them.
            ack: called with the client's answer, in the socket's nursery.

        Raises:
            TypeError: `ack` with `on_overflow`.
            LimitReached: the client owes `max_pending_acks` answers.
            Disconnected: the client has left, or leaves while we wait.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
            RuntimeError: it is called from another thread, or the like; `trio.from_thread.run`
                calls it from there.
        """
        sender, flags = self.sender, self.flags
        home = sender.namespace.home
        if THREAD.token is not home.token:
            home.check("socket.emit")
        if ack is None and not flags.volatile:
            if sender.recovery is not None:
                await sender.send_recorded(sender.recovery, event, args, flags)
                return
            item = sender.encode(event, args, flags)
            if not flags.on_overflow:
                await sender.session.send(item)
                return
            await trio.lowlevel.checkpoint_if_cancelled()
            sender.session.deliver(item)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        if ack is not None:
            self._check_ack()
        await trio.lowlevel.checkpoint_if_cancelled()
        if ack is None or flags.volatile:
            self._emit_volatile(event, args, ack)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        ack_id = sender.namespace.next_ack_id()
        sender.acks.call_back(ack_id, ack)  # if it may not wait, nobody hears of the event
        is_sent = False
        try:
            await sender.session.send(sender.encode(event, args, flags, ack_id))
            is_sent = True
        finally:
            if not is_sent:
                sender.acks.forget(ack_id)

    @overload
    def emit_nowait(self, event: Event[Any, *Arguments], *args: *Arguments) -> None: ...
    @overload
    def emit_nowait(self, event: str, *args: object) -> None: ...
    def emit_nowait(self, event: Any, *args: object) -> None:
        """Send an event without waiting, for functions that are not async.

        Raises:
            trio.WouldBlock: the client's outbox is full.
            Disconnected, ValueError, LocalProtocolError: as `emit`.
            RuntimeError: as `emit`; `trio.from_thread.run_sync` calls it from another thread.
        """
        sender, flags = self.sender, self.flags
        home = sender.namespace.home
        if THREAD.token is not home.token:
            home.check_sync("socket.emit_nowait")
        if flags.volatile:
            self._emit_volatile(event, args, None)
        elif sender.recovery is not None:
            sender.send_recorded_nowait(sender.recovery, event, args, flags)
        elif flags.on_overflow:
            sender.session.deliver(sender.encode(event, args, flags))
        else:
            sender.session.send_nowait(sender.encode(event, args, flags))

    def _check_ack(self) -> None:
        if self.flags.on_overflow:
            raise TypeError("an event with on_overflow may be dropped, and has no acknowledgement")

    def _emit_volatile(
        self, event: str, args: tuple[object, ...], ack: Callable[..., object] | None
    ) -> None:
        sender = self.sender
        ack_id = None
        if ack is not None:
            ack_id = sender.namespace.next_ack_id()
            sender.acks.call_back(ack_id, ack)
        is_sent = False
        try:
            if ack_id is None and sender.recovery is not None:
                item = sender.record(sender.recovery, event, args, self.flags).item
            else:
                item = sender.encode(event, args, self.flags, ack_id)
            is_sent = sender.send_volatile(item, event, args)
        finally:
            if ack_id is not None and not is_sent:
                sender.acks.forget(ack_id)

    async def send(self, *args: object, ack: Callable[..., object] | None = None) -> None:
        """Emit the event "message" (JS: `send`)."""
        await self.emit("message", *args, ack=ack)

    @overload
    async def call(
        self,
        event: Event[Answer, *Arguments],
        *args: *Arguments,
        timeout: float | None = ...,  # noqa: ASYNC109 - an answer is always bounded
    ) -> Answer: ...
    @overload
    async def call(
        self,
        event: str,
        *args: object,
        timeout: float | None = ...,  # noqa: ASYNC109 - as above
    ) -> Any: ...  # noqa: ANN401 - whatever the client says
    async def call(
        self,
        event: Any,
        *args: object,
        timeout: float | None = CALL_TIMEOUT,  # noqa: ASYNC109 - as above
    ) -> Any:
        """Send an event and wait for the client's answer (JS: `emit` with an acknowledgement).

        Args:
            event: the event's name, or a declared event.
            *args: JSON values, with bytes anywhere in them.
            timeout: seconds to wait, `None` for as long as the client stays.

        Returns:
            What the client answered: `None`, one value, or a tuple of several.

        Raises:
            TypeError: with `on_overflow`.
            LimitReached: the client owes `max_pending_acks` answers.
            trio.TooSlowError: there was no answer in time, or with `volatile`, the event was
                dropped.
            Disconnected: the client left.
            RuntimeError: as `emit`.
        """
        sender = self.sender
        sender.namespace.home.check("socket.call")
        self._check_ack()
        ack_id = sender.namespace.next_ack_id()
        slot = sender.acks.wait_for(ack_id)
        try:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                item = sender.encode(event, args, self.flags, ack_id)
                if not self.flags.volatile:
                    await sender.session.send(item)
                elif not sender.send_volatile(item, event, args):
                    raise trio.TooSlowError("a volatile event was dropped: there is no answer")
                return as_result(await slot.wait())
        finally:
            sender.acks.forget(ack_id)

    def _with_flags(self, **changes: bool | str) -> "Flagged":
        return Flagged(self.id, self.sender, with_flags(self.flags, **changes))

    # -- to the others ---------------------------------------------------------------------

    @property
    def broadcast(self) -> Broadcast:
        """All other sockets in the namespace, with the flags so far (JS: `broadcast`)."""
        return Broadcast(audience=self.sender.namespace, sender=self.id, flags=self.flags)

    def _broadcast(self) -> Broadcast:
        return self.broadcast


@dataclass(frozen=True, slots=True)
class Flagged(Emitter):
    """A socket with flags; a value, as targets are."""

    id: SocketId
    sender: EventSender
    flags: Flags = NO_FLAGS
