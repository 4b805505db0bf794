"""WebSocket by the sans-I/O core of the library `websockets`; carries permessage-deflate.

The core parses what `FrameParser` leaves to it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import SERVER, Event, Protocol, State

from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import (
    Backend,
    BaseBackend,
    Control,
    MakeBackend,
    Negotiate,
    Settings,
    Turn,
)
from trio_sio.http import Request
from trio_sio.options import EngineOptions, compression_threshold
from trio_sio.options.compression import COMPRESSION_LEVEL, CompressionOption
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.websocket.errors import (
    INVALID_DATA,
    PROTOCOL_ERROR,
    FrameError,
    WebSocketClosed,
)
from trio_sio.protocol.websocket.frame import payloads
from trio_sio.protocol.websocket.frame_parser import FrameParser

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask


def negotiator(options: EngineOptions, turn: Turn) -> Negotiate:
    """Return what agrees with clients upon compression; see `auto.choose`."""
    settings = Settings.of(options, turn)
    option = options.per_message_deflate
    factory = None if option is False else _factory(option)
    threshold = compression_threshold(option) or 0

    def negotiate(request: Request) -> Agreement:
        extension, answer = _agree(request, factory)
        return Agreement(settings, extension, answer, threshold)

    return negotiate


@dataclass(slots=True)
class Agreement:
    """See `base.Agreement`.

    It is the context of its connection as well, of which nothing has to be undone: a generator
    for each client would take 800 bytes.
    """

    has_tasks: ClassVar[bool] = False

    settings: Settings
    extension: PerMessageDeflate | None
    extensions: str
    threshold: int
    stream: ByteStream | None = None

    def open(self, stream: ByteStream) -> Self:
        """Return the context of a connection."""
        self.stream = stream
        return self

    async def __aenter__(self) -> MakeBackend:
        return self._make_backend

    def _make_backend(self, control: Control) -> Backend:
        assert self.stream is not None
        return WebsocketsBackend(
            self.stream, self.settings, control, self.extension, self.threshold
        )

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""


class Core:
    """Parses what `FrameParser` leaves to the library.

    Args:
        parser: gets the messages, and the end.
        control: gets pongs and close frames.
        extensions: that were agreed upon.
    """

    __slots__ = ("_control", "_is_text", "_parser", "_parts", "_protocol")

    def __init__(
        self, parser: FrameParser, control: Control, extensions: Sequence[Extension] = ()
    ) -> None:
        self._parser = parser
        self._control = control
        self._protocol = Protocol(SERVER, state=State.OPEN)
        self._protocol.extensions = list(extensions)
        self._parts: list[bytes] = []
        self._is_text = False

    def read(self, piece: bytes, too_big: FrameError) -> None:
        """Parse a frame, or a part of one.

        Args:
            piece: of what the connection has brought.
            too_big: the end if a message gets larger than its `limit`. The parser counts what
                comes, but a message may be compressed a thousandfold.
        """
        protocol, parser = self._protocol, self._parser
        protocol.max_message_size = too_big.limit
        protocol.receive_data(piece)
        for frame in protocol.events_received():
            if parser.end is None:
                self._take(frame)
        if protocol.parser_exc is not None:
            parser.end_with(_end_of(protocol.parser_exc, too_big))
        elif protocol.writes:
            for answer in protocol.data_to_send():
                if answer:
                    self._control(answer)

    def close(self) -> None:
        """Free what has been read; the library's parser and its protocol hold each other."""
        self._protocol.parser.close()

    def _take(self, frame: Event) -> None:
        """Take one frame; it may make a message whole."""
        assert isinstance(frame, Frame)  # a core without a handshake makes nothing else
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            self._parser.end_with(WebSocketClosed())
            return
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            return
        if opcode is not Opcode.CONT:
            self._is_text = opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data, self._parts = b"".join(self._parts), []
            if self._is_text:
                self._parser.add_text(data)
            else:
                self._parser.add(data)


def _end_of(error: Exception, too_big: FrameError) -> WebSocketClosed:
    """Return the end that an error of the core stands for."""
    if isinstance(error, EOFError):
        return WebSocketClosed()
    if isinstance(error, PayloadTooBig):
        return too_big
    code = INVALID_DATA if isinstance(error, UnicodeDecodeError) else PROTOCOL_ERROR
    return FrameError(code, str(error))


class WebsocketsBackend(BaseBackend):
    """One connection; see `base.Backend`.

    Args:
        stream: the connection.
        settings: of the engine.
        control: gets pongs and close frames.
        extension: the compression agreed upon, `None` for none.
        threshold: bytes from which on an item is compressed.
    """

    __slots__ = ("_control", "_core", "_deflate", "_threshold", "compresses")

    def __init__(
        self,
        stream: ByteStream,
        settings: Settings,
        control: Control,
        extension: PerMessageDeflate | None,
        threshold: int,
    ) -> None:
        super().__init__(stream, FrameParser(settings.limits, apply_mask), settings)
        self.compresses = extension is not None
        self._control = control
        self._deflate = extension
        self._threshold = threshold
        self._core: Core | None = None

    async def delegate(self, piece: bytes) -> None:
        """Have the core parse a piece; a core takes 1.5 kB, and most clients never need one."""
        if self._core is None:
            extensions = [self._deflate] if self._deflate else []
            self._core = Core(self.parser, self._control, extensions)
        self._core.read(piece, self.too_big())

    def stop(self) -> None:
        """Free what has been read, the core's part of it too."""
        super().stop()
        if self._core is not None:
            self._core.close()
            self._core = None

    def shared_frames(self, item: Encoded) -> bool:
        """Whether nothing has to be compressed for this client alone."""
        return (
            self._deflate is None
            or not item.compress
            or item.size < self._threshold
            or not item.parts
        )

    async def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Return the compressed frames of an item, made in a turn of its own."""
        assert self._deflate is not None
        await self._settings.turn()
        frames = [Frame(Opcode(kind), data) for kind, data in payloads(item.wire(wire_format))]
        return b"".join([f.serialize(mask=False, extensions=[self._deflate]) for f in frames])


def _factory(option: CompressionOption) -> ServerPerMessageDeflateFactory:
    given: dict[str, Any] = {} if isinstance(option, bool) else dict(option)
    given.pop("threshold", None)
    settings = {"level": given.pop("level", COMPRESSION_LEVEL)}
    if "memory_level" in given:
        settings["memLevel"] = given.pop("memory_level")
    return ServerPerMessageDeflateFactory(**given, compress_settings=settings)


def _agree(
    request: Request, factory: ServerPerMessageDeflateFactory | None
) -> tuple[PerMessageDeflate | None, str]:
    """Return the extension agreed upon and the header that says so, or `None` and `""`.

    A client may offer it several times, the settings that it likes best first (RFC 7692, 5.1).
    """
    field = request.headers.get("sec-websocket-extensions")
    if factory is None or not field:
        return None, ""
    try:
        offers = parse_extension(field)
    except WebSocketException:
        return None, ""  # nothing that we understand was offered: go on without
    for name, parameters in offers:
        if name == factory.name:
            with suppress(WebSocketException):  # not by these settings; perhaps by the next
                agreed, extension = factory.process_request_params(parameters, [])
                return extension, build_extension([(name, agreed)])
    return None, ""
