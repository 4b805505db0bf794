"""Sending to one socket: `emit`, `call` and the flags that go with them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import trio

from trio_sio.router.broadcast import NO_FLAGS, Broadcast, Flags, checked_policy
from trio_sio.router.handlers import as_result

if TYPE_CHECKING:
    from trio_sio.abc import Room
    from trio_sio.router.socket import Socket

CALL_TIMEOUT = 30.0
"""Seconds that `call` waits unless it is told otherwise."""


class Emitter:
    """What a socket, and a socket with flags, can send."""

    __slots__ = ()

    flags: Flags = NO_FLAGS

    def _sender(self) -> "Socket":
        raise NotImplementedError

    async def emit(
        self, event: str, *args: object, ack: Callable[..., object] | None = None
    ) -> None:
        """Send an event to this client; waits while its outbox is full (JS: `emit`).

        Args:
            event: the event's name.
            *args: JSON values, with bytes anywhere in them.
            ack: called with the client's answer, in the socket's nursery.

        Raises:
            TypeError: `ack` with `on_overflow`.
            LimitReached: the client owes `max_pending_acks` answers.
            Disconnected: the client has left, or leaves while we wait.
            ValueError: the name is reserved.
            LocalProtocolError: the arguments cannot be sent.
        """
        socket = self._sender()
        flags = self.flags
        if ack is None and not flags.volatile:
            socket.check_open()
            item = socket.encode(event, args, flags, None)
            if not flags.on_overflow:
                await socket.session.send(item)
                return
            await trio.lowlevel.checkpoint_if_cancelled()
            socket.session.deliver(item)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        if ack is not None:
            self._check_ack()
        await trio.lowlevel.checkpoint_if_cancelled()
        socket.check_open()
        if ack is None or flags.volatile:
            self._emit_volatile(event, args, ack)
            await trio.lowlevel.cancel_shielded_checkpoint()
            return
        ack_id = socket.namespace.next_ack_id()
        item = socket.encode(event, args, flags, ack_id)
        socket.acks.call_back(ack_id, ack)
        is_sent = False
        try:
            await socket.session.send(item)
            is_sent = True
        finally:
            if not is_sent:
                socket.acks.forget(ack_id)

    def emit_nowait(self, event: str, *args: object) -> None:
        """Send an event without waiting, for functions that are not async.

        Raises:
            trio.WouldBlock: the client's outbox is full.
            Disconnected, ValueError, LocalProtocolError: as `emit`.
        """
        socket = self._sender()
        socket.check_open()
        if self.flags.volatile:
            self._emit_volatile(event, args, None)
        elif self.flags.on_overflow:
            socket.session.deliver(socket.encode(event, args, self.flags, None))
        else:
            socket.session.send_nowait(socket.encode(event, args, self.flags, None))

    def _check_ack(self) -> None:
        if self.flags.on_overflow:
            raise TypeError("an event with on_overflow may be dropped, and has no acknowledgement")

    def _emit_volatile(
        self, event: str, args: tuple[object, ...], ack: Callable[..., object] | None
    ) -> None:
        socket = self._sender()
        ack_id = None if ack is None else socket.namespace.next_ack_id()
        item = socket.encode(event, args, self.flags, ack_id)
        if ack is not None and ack_id is not None:
            socket.acks.call_back(ack_id, ack)
        if not socket.session.send_volatile(item) and ack_id is not None:
            socket.acks.forget(ack_id)

    async def send(self, *args: object, ack: Callable[..., object] | None = None) -> None:
        """Emit the event "message" (JS: `send`)."""
        await self.emit("message", *args, ack=ack)

    async def call(
        self,
        event: str,
        *args: object,
        timeout: float | None = CALL_TIMEOUT,  # noqa: ASYNC109 - an answer is always bounded
    ) -> Any:  # noqa: ANN401 - whatever the client says
        """Send an event and wait for the client's answer (JS: `emit` with an acknowledgement).

        Args:
            event: the event's name.
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
        """
        socket = self._sender()
        self._check_ack()
        ack_id = socket.namespace.next_ack_id()
        slot = socket.acks.wait_for(ack_id)
        try:
            with trio.fail_after(float("inf") if timeout is None else timeout):
                socket.check_open()
                item = socket.encode(event, args, self.flags, ack_id)
                if not self.flags.volatile:
                    await socket.session.send(item)
                elif not socket.session.send_volatile(item):
                    raise trio.TooSlowError("a volatile event was dropped: there is no answer")
                return as_result(await slot.wait())
        finally:
            socket.acks.forget(ack_id)

    @property
    def volatile(self) -> "Flagged":
        """Send only if the client can take it at this moment (JS: flag `volatile`)."""
        return Flagged(self._sender(), replace(self.flags, volatile=True))

    def compress(self, compress: bool) -> "Flagged":
        """Say whether the transport may compress the event (JS: `compress(bool)`)."""
        return Flagged(self._sender(), replace(self.flags, compress=compress))

    def on_overflow(self, policy: str) -> "Flagged":
        """Say what is done at a full outbox; nobody waits then.

        Args:
            policy: "disconnect", "drop_newest" or "drop_oldest".

        Raises:
            ValueError: there is no such policy.
        """
        return Flagged(self._sender(), replace(self.flags, on_overflow=checked_policy(policy)))

    def binary(self, binary: bool) -> "Flagged":
        """Say whether binary values are sent as such (JS: `binary(bool)`)."""
        return Flagged(self._sender(), replace(self.flags, binary=binary))


@dataclass(frozen=True, slots=True)
class Flagged(Emitter):
    """A socket with flags; a value, as targets are."""

    socket: "Socket"
    flags: Flags = NO_FLAGS

    def _sender(self) -> "Socket":
        return self.socket

    @property
    def broadcast(self) -> Broadcast:
        """Everyone in the namespace but this socket, with the flags so far."""
        return replace(self.socket.broadcast, flags=self.flags)

    def to(self, *rooms: "Room") -> Broadcast:
        """Everyone in the rooms but this socket, with the flags so far."""
        return self.broadcast.to(*rooms)

    def in_(self, *rooms: "Room") -> Broadcast:
        """Do as `to`."""
        return self.broadcast.to(*rooms)
