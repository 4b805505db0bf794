"""WebSocket by the sans-I/O core of the library `websockets`; carries permessage-deflate.

What comes in is read by `incoming`, with the core's help.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
from websockets.exceptions import WebSocketException
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import SERVER, Protocol, State

from trio_sio.abc import TransportClosed
from trio_sio.engine.message import Request
from trio_sio.engine.pipe import READ_SIZE, Pipe
from trio_sio.engine.websocket.handshake import acceptance
from trio_sio.engine.websocket.incoming import TOO_BIG, Incoming
from trio_sio.engine.websocket.library import Control, Library
from trio_sio.options import COMPRESSION_LEVEL, EngineOptions, compression_threshold
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.codec_v3 import utf8
from trio_sio.reasons import DisconnectReason


def check(options: EngineOptions) -> None:
    """Nothing to refuse: the library can do whatever the options may say."""


@asynccontextmanager
async def open_library(
    pipe: Pipe, request: Request, options: EngineOptions
) -> AsyncIterator[Library]:
    """Accept the handshake and yield the connection."""
    extension, answer = _negotiate(request, options.per_message_deflate)
    await pipe.write(acceptance(request, answer))
    threshold = compression_threshold(options.per_message_deflate)
    yield WebsocketsConnection(pipe, options, extension, threshold)


class WebsocketsConnection:
    """One connection; see `library.Library`."""

    def __init__(
        self,
        pipe: Pipe,
        options: EngineOptions,
        extension: PerMessageDeflate | None,
        threshold: int | None,
    ) -> None:
        self.budget = options.handshake_buffer_size
        self.compresses = extension is not None
        self._pipe = pipe
        self._deflate = extension
        self._threshold = threshold or 0
        self._spent = 0
        core = Protocol(SERVER, state=State.OPEN, max_size=options.max_http_buffer_size)
        if extension is not None:
            core.extensions = [extension]
        self._incoming = Incoming(core, options.max_http_buffer_size)

    @property
    def control(self) -> Control:
        """Where pongs and close frames go."""
        return self._incoming.control

    @control.setter
    def control(self, control: Control) -> None:
        self._incoming.control = control

    def next(self) -> str | bytes | None:
        """Return the next message, if one is whole."""
        message = self._incoming.next()
        if message is not None:
            self._spent = 0
        return message

    async def read(self) -> None:
        """Read from the connection."""
        try:
            data = await self._pipe.read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if self.budget is not None:
            self._spent += len(data)
            if self._spent > self.budget + READ_SIZE:
                raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG)
        self._incoming.feed(data)

    def stop(self) -> None:
        """Nothing to do: nobody reads but `read`."""

    def shared_frames(self, item: Encoded) -> bool:
        """Whether nothing has to be compressed for this client alone."""
        return (
            self._deflate is None
            or not item.parts
            or not item.compress
            or item.size < self._threshold
        )

    def own_frames(self, item: Encoded) -> bytes:
        """Return the compressed frames of an item."""
        assert self._deflate is not None
        frames = [
            Frame(Opcode.TEXT, utf8(part))
            if isinstance(part, str)
            else Frame(Opcode.BINARY, b"\x04" + part)
            for part in item.parts
        ]
        return b"".join([f.serialize(mask=False, extensions=[self._deflate]) for f in frames])


def _factory(option: bool | Mapping[str, int | bool]) -> ServerPerMessageDeflateFactory:
    given: dict[str, Any] = {} if isinstance(option, bool) else dict(option)
    given.pop("threshold", None)
    settings = {"level": given.pop("level", COMPRESSION_LEVEL)}
    if "memory_level" in given:
        settings["memLevel"] = given.pop("memory_level")
    return ServerPerMessageDeflateFactory(**given, compress_settings=settings)


def _negotiate(
    request: Request, option: bool | Mapping[str, int | bool]
) -> tuple[PerMessageDeflate | None, str]:
    """Return the extension agreed upon and the header that says so, or `None` and `""`."""
    if option is False:
        return None, ""
    factory = _factory(option)
    offers = request.headers.get("sec-websocket-extensions")
    try:
        for name, parameters in parse_extension(offers) if offers else []:
            if name == factory.name:
                agreed, extension = factory.process_request_params(parameters, [])
                return extension, build_extension([(name, agreed)])
    except WebSocketException:
        pass  # nothing that we understand was offered: go on without
    return None, ""
