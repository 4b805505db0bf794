"""A WebSocket that another server has: its messages, by `receive` and `send`."""

from collections.abc import Iterable

import trio

from trio_sio.asgi.mounted_request import Receiver
from trio_sio.asgi.types import Message, Receive, Send
from trio_sio.protocol.websocket.errors import WebSocketClosed


class MountedWebSocket:
    """One WebSocket, from its handshake on; a `MessageSocket`.

    `send` hands a message to the task that runs `pump`, and waits until that can take it. So who
    sends can be cancelled, although the other server may shield its sends, and at most one message
    is under way there.

    Args:
        receive: the other server's.
        send: the other server's.
        receiver: notices that the client leaves before the handshake is answered.

    Attributes:
        is_accepted: whether the handshake has been accepted.
    """

    def __init__(self, receive: Receive, send: Send, receiver: Receiver) -> None:
        self.is_accepted = False
        self._receive = receive
        self._send = send
        self._receiver = receiver
        self._outgoing, self._taken = trio.open_memory_channel[Message](0)
        self._has_closed = False  # the client, or the connection broke
        self._ended = trio.Event()
        self._finished = trio.Event()

    @property
    def hung_up(self) -> bool:
        """Whether the client has left, as far as that was received."""
        return self._has_closed or self._receiver.hung_up

    async def accept(self, subprotocol: str | None, fields: Iterable[tuple[str, str]]) -> None:
        """Accept the handshake; see `MessageSocket`."""
        self.is_accepted = True
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in fields]
        answer: Message = {"type": "websocket.accept", "subprotocol": subprotocol}
        await self._hand_over({**answer, "headers": headers} if headers else answer)

    async def receive(self) -> str | bytes:
        """Return the next message; see `MessageSocket`."""
        if self.hung_up or self._ended.is_set():
            raise WebSocketClosed
        message = await self._receive()
        if message["type"] != "websocket.receive":
            self._has_closed = True
            raise WebSocketClosed
        data = message.get("bytes")
        if data is not None:
            return bytes(data)
        text: str = message["text"]
        return text

    async def send(self, message: str | bytes) -> None:
        """Send a message; see `MessageSocket`."""
        if isinstance(message, str):
            await self._hand_over({"type": "websocket.send", "text": message})
        else:
            await self._hand_over({"type": "websocket.send", "bytes": message})

    async def _hand_over(self, message: Message) -> None:
        if self.hung_up:
            raise trio.BrokenResourceError("the client has left")
        await self._outgoing.send(message)

    async def finish(self, code: int) -> None:
        """Send a close frame; returns when the other server has it."""
        await self._hand_over({"type": "websocket.close", "code": code})
        await self._finished.wait()

    def end(self) -> None:
        """Neither send nor receive any more."""
        self._ended.set()
        self._outgoing.close()

    async def pump(self) -> None:
        """Send what is handed over, until the end."""
        with self._taken:
            try:
                async for message in self._taken:
                    await self._send(message)
                    if message["type"] == "websocket.close":
                        break
            except OSError:  # ASGI 2.4: the client has left
                self._has_closed = True
        self._finished.set()

    async def wait_ended(self) -> None:
        """Return when nobody uses it any more."""
        await self._ended.wait()
