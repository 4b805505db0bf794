"""What answers a request, and notices that its client leaves.

The endpoints know requests and responses and nothing of sockets: an HTTP connection of ours is one
responder, and another server's could be one.
"""

from collections.abc import Awaitable, Iterable
from typing import Protocol, TypeVar, runtime_checkable

import trio

from trio_sio.abc import ResponseBody, Sequel as Sequel
from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.runtime.timers import Timers
from trio_sio.failures import leaves
from trio_sio.http import BodyError, Response

T = TypeVar("T")

WATCH_AFTER = 0.25
"""Seconds that something may take before a task looks whether its client is still there: most
answers take less, and that task costs more than all the rest of a small request."""


class MessageSocket(Protocol):
    """A WebSocket whose frames another server makes and reads."""

    @property
    def hung_up(self) -> bool:
        """Whether the client has left, as far as that was received."""

    async def accept(self, subprotocol: str | None, fields: Iterable[tuple[str, str]]) -> None:
        """Accept the handshake.

        Args:
            subprotocol: the one that is chosen, `None` for none.
            fields: further header fields of the answer.

        Raises:
            trio.BrokenResourceError: the client has left.
        """

    async def receive(self) -> str | bytes:
        """Return the next message.

        Raises:
            WebSocketClosed: there is none: the client has closed, or has left.
        """

    async def send(self, message: str | bytes) -> None:
        """Send a message; returns when the next one may be sent, and can be cancelled.

        Raises:
            trio.BrokenResourceError: the client has left.
        """

    async def finish(self, code: int) -> None:
        """Send a close frame behind all messages; raises as `send`."""

    def end(self) -> None:
        """Neither send nor receive any more."""


class Body(ResponseBody, Protocol):
    """The body of a response that has been begun."""

    @property
    def has_content(self) -> bool:
        """Whether anything of it is sent."""


@runtime_checkable
class Responder(Protocol):
    """Answers one request."""

    @property
    def is_answered(self) -> bool:
        """Whether the response has been sent, or has begun to be."""

    @property
    def hung_up(self) -> bool:
        """Whether the client has left, as far as that is seen without reading."""

    async def send(self, response: Response) -> None:
        """Send the response, or what `hold` left of it.

        Raises:
            ResponseTimeout: the client did not take it in time.
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side, or `cut`.
        """

    async def begin(self, response: Response) -> Body:
        """Send the head of a response whose body comes piece by piece.

        Unless that is finished, the connection ends with what has been sent.

        Raises:
            ResponseTimeout: the client did not take it in time.
            HungUp: the connection broke, or was closed.
        """

    async def hold(self, held: HeldResponse) -> None:
        """Wait until there is a response, or at least an end to the waiting.

        A response that can be sent at once has been sent by whoever set it. If it has not, or not
        all of it, it is still there as `held.response`, for `send`.

        Raises:
            trio.BrokenResourceError: the client left, or the connection broke.
            trio.ClosedResourceError: it was closed on this side, or `cut`.
        """

    async def wait_hung_up(self) -> None:
        """Return when the client has left; the client may send ahead meanwhile."""

    async def send_raw(self, data: bytes) -> None:
        """Send a response that has been rendered already; raises as `send`.

        The connection ends with it, unless it is taken over.
        """

    @property
    def message_socket(self) -> MessageSocket | None:
        """The WebSocket that is asked for, if another server makes its frames."""

    def take_over(self) -> ByteStream:
        """Return the stream below, with what the client has sent behind its request."""

    def cut(self) -> None:
        """End the connection without a response, or in the middle of it."""


class HungUp(trio.BrokenResourceError):
    """The client left before it had its response."""


def fault_of_client(error: BaseException) -> Exception | None:
    """Return the client's fault that an exception is, also one in groups; `None` if it is more.

    The application's code raises it when the body that it reads does not come.
    """
    found = list(leaves(error))
    faults = [leaf for leaf in found if isinstance(leaf, HungUp | BodyError)]
    return faults[0] if len(faults) == len(found) else None


async def unless_hung_up(
    responder: Responder, awaitable: Awaitable[T], timers: Timers | None = None
) -> T:
    """Wait for something, but not longer than the client stays; then it is cancelled.

    Args:
        responder: notices that the client leaves.
        awaitable: what to wait for.
        timers: with them, nobody watches the client before `WATCH_AFTER`.

    Raises:
        HungUp: the client left.
        Exception: whatever was waited for raises, as it is and in no group.
    """
    results: list[T] = []
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:

        def watch() -> None:
            nursery.start_soon(_cancel_when_hung_up, responder, nursery.cancel_scope)

        timer = None
        if timers is None:
            watch()
        else:
            timer = timers.call_at(trio.current_time() + WATCH_AFTER, watch)
        try:
            results.append(await awaitable)
        except Exception as error:
            failure = error
        finally:
            if timer is not None:
                timer.cancel()
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not results:
        raise HungUp("the client closed the connection")
    return results[0]


async def _cancel_when_hung_up(responder: Responder, waiting: trio.CancelScope) -> None:
    await responder.wait_hung_up()
    waiting.cancel()
