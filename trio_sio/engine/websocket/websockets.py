"""WebSocket by the sans-I/O core of the library `websockets`; carries permessage-deflate.

The core hands out frames. Putting fragments together is done here, and so is the limit on how
many a message may have: the core itself passes any number of empty ones.
"""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import trio
from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import SERVER, Event, Protocol, State

from trio_sio.abc import TransportClosed
from trio_sio.engine.message import Request
from trio_sio.engine.pipe import READ_SIZE, Pipe
from trio_sio.engine.websocket.handshake import acceptance
from trio_sio.engine.websocket.library import Control, Library
from trio_sio.options import COMPRESSION_LEVEL, EngineOptions, compression_threshold
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.codec_v3 import utf8
from trio_sio.reasons import DisconnectReason

MAX_FRAGMENTS = 4096
"""Fragments of one message. Browsers cut at 128 KiB and more, so 100 MB fit several times."""

PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
TOO_BIG = 1009


def check(options: EngineOptions) -> None:
    """Nothing to refuse: the library can do whatever the options may say."""


@asynccontextmanager
async def open_library(
    pipe: Pipe, request: Request, options: EngineOptions
) -> AsyncIterator[Library]:
    """Accept the handshake and yield the connection."""
    extension, answer = _negotiate(request, options.per_message_deflate)
    await pipe.send_all(acceptance(request, answer))
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
        self.control: Control = lambda data: None
        self.budget = options.handshake_buffer_size
        self._pipe = pipe
        self._core = Protocol(SERVER, state=State.OPEN, max_size=options.max_http_buffer_size)
        self._deflate = extension
        self._threshold = threshold or 0
        if extension is not None:
            self._core.extensions = [extension]
        self._frames: list[Event] = []
        self._parts: list[bytes] = []
        self._is_text = False
        self._spent = 0

    async def receive(self) -> str | bytes:
        """Return the next message."""
        while True:
            while self._frames:
                message = self._take(self._frames.pop())
                if message is not None:
                    self._spent = 0
                    return message
            if self._core.parser_exc is not None:
                raise _closed_by(self._core.parser_exc)
            self._feed(await self._read())

    async def _read(self) -> bytes:
        try:
            data = await self._pipe.read()
        except (trio.BrokenResourceError, trio.ClosedResourceError):
            data = b""
        if not data:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        self._spent += len(data)
        if self.budget is not None and self._spent > self.budget + READ_SIZE:
            raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG)
        return data

    def _feed(self, data: bytes) -> None:
        core = self._core
        core.receive_data(data)
        self._frames = core.events_received()
        self._frames.reverse()
        if core.writes and core.parser_exc is None:
            for answer in core.data_to_send():
                if answer:
                    self.control(answer)

    def _take(self, frame: Event) -> str | bytes | None:
        """Take one frame; return a message when one is whole."""
        assert isinstance(frame, Frame)  # a core without a handshake makes nothing else
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            raise TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            return None
        if opcode is not Opcode.CONT:
            self._is_text = opcode is Opcode.TEXT
            if frame.fin:
                return self._whole(bytes(frame.data))
        self._parts.append(bytes(frame.data))
        if not frame.fin:
            if len(self._parts) > MAX_FRAGMENTS:
                raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, TOO_BIG)
            return None
        data, self._parts = b"".join(self._parts), []
        return self._whole(data)

    def _whole(self, data: bytes) -> str | bytes:
        if not self._is_text:
            return data
        try:
            return data.decode()
        except UnicodeDecodeError:
            raise TransportClosed(DisconnectReason.TRANSPORT_ERROR, INVALID_DATA) from None

    def stop(self) -> None:
        """Nothing to do: nobody reads but `receive`."""

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


def _closed_by(error: Exception) -> TransportClosed:
    """Return the end that an error of the core stands for."""
    if isinstance(error, EOFError):
        return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
    code = INVALID_DATA if isinstance(error, UnicodeDecodeError) else PROTOCOL_ERROR
    if isinstance(error, PayloadTooBig):
        code = TOO_BIG
    return TransportClosed(DisconnectReason.TRANSPORT_ERROR, code)


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
