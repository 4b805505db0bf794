"""A responder without a socket: what another server's request would be to the polling endpoint."""

import trio

from trio_sio.engine.http.holding import HeldResponse
from trio_sio.engine.http.streaming import StreamedBody
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.http import Response


class MemoryResponder:
    """Keeps the response to one request.

    Attributes:
        response: what the client was sent.
    """

    def __init__(self) -> None:
        self.response: Response | None = None
        self._left = trio.Event()
        self._is_cut = False

    def leave(self) -> None:
        """Be the client, and go away."""
        self._left.set()

    def _check(self) -> None:
        if self._is_cut or self._left.is_set():
            raise trio.BrokenResourceError("the client has left")

    @property
    def is_answered(self) -> bool:
        return self.response is not None

    @property
    def hung_up(self) -> bool:
        return self._left.is_set()

    async def send(self, response: Response) -> None:
        await trio.lowlevel.checkpoint()
        self._check()
        assert self.response is None
        self.response = response

    async def begin(self, response: Response) -> StreamedBody:
        raise AssertionError("polling streams nothing")

    async def hold(self, held: HeldResponse) -> None:
        over = trio.Event()
        held.begin(over.set)
        async with trio.open_nursery() as nursery:

            @nursery.start_soon
            async def watch() -> None:
                await self._left.wait()
                nursery.cancel_scope.cancel()

            await over.wait()
            nursery.cancel_scope.cancel()
        self._check()

    async def wait_hung_up(self) -> None:
        await self._left.wait()

    async def send_raw(self, data: bytes) -> None:
        raise AssertionError("polling renders nothing")

    @property
    def message_socket(self) -> None:
        return None

    def take_over(self) -> ByteStream:
        raise AssertionError("polling needs no stream")

    def cut(self) -> None:
        self._is_cut = True
        self._left.set()
