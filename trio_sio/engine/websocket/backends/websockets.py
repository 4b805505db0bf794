"""WebSocket by the sans-I/O core of the library `websockets`; carries permessage-deflate.

What comes in is read by `incoming`; the core reads what that leaves to it.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from websockets.exceptions import PayloadTooBig, WebSocketException
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import (
    PerMessageDeflate,
    ServerPerMessageDeflateFactory,
)
from websockets.frames import Frame, Opcode
from websockets.headers import build_extension, parse_extension
from websockets.protocol import SERVER, Event, Protocol, State

from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.runtime.stream import ByteStream
from trio_sio.engine.websocket.backends.base import Backend, Control, Reader, stranger_too_big
from trio_sio.engine.websocket.frame_parser import (
    INVALID_DATA,
    PROTOCOL_ERROR,
    TOO_BIG,
    FrameParser,
)
from trio_sio.http import Request
from trio_sio.options import EngineOptions, compression_threshold
from trio_sio.options.compression import COMPRESSION_LEVEL, CompressionOption
from trio_sio.protocol.encoded import Encoded, WireFormat
from trio_sio.protocol.websocket.frame import payloads

try:
    from websockets.speedups import apply_mask
except ImportError:
    from websockets.utils import apply_mask


def check(options: EngineOptions) -> None:
    """Nothing to refuse: the library can do whatever the options may say."""


def negotiate(request: Request, options: EngineOptions) -> "Agreement":
    """Agree with a client upon compression; see `library.Agreement`."""
    extension, answer = _negotiate(request, options.per_message_deflate)
    return Agreement(options, extension, answer)


@dataclass(slots=True)
class Agreement:
    """See `library.Agreement`.

    It is the context of its connection as well, of which nothing has to be undone: a generator
    for each client would take 800 bytes.
    """

    options: EngineOptions
    extension: PerMessageDeflate | None
    extensions: str
    pipe: ByteStream | None = None

    def open(self, pipe: ByteStream) -> Self:
        """Return the context of a connection."""
        self.pipe = pipe
        return self

    async def __aenter__(self) -> Backend:
        assert self.pipe is not None
        threshold = compression_threshold(self.options.per_message_deflate)
        return WebsocketsConnection(self.pipe, self.options, self.extension, threshold)

    async def __aexit__(self, *_: object) -> None:
        """Nothing to do."""


class Core:
    """Reads what `incoming` leaves to the library.

    Args:
        incoming: gets the messages, and the end.
        max_size: bytes that a message may have.
        extensions: that were agreed upon.

    Attributes:
        control: where pongs and close frames go.
    """

    def __init__(
        self, incoming: FrameParser, max_size: int, extensions: Sequence[Extension] = ()
    ) -> None:
        self.control: Control = _nowhere
        self._incoming = incoming
        self._protocol = Protocol(SERVER, state=State.OPEN, max_size=max_size)
        self._protocol.extensions = list(extensions)
        self._max_size = max_size
        self._parts: list[bytes] = []
        self._is_text = False

    def read(self, piece: bytes, budget: int | None = None) -> None:
        """Read a frame, or a part of one.

        Args:
            piece: of what the connection has brought.
            budget: bytes that a message of a stranger may become. What has come is counted by
                `Reader`, but a message may be compressed a thousandfold.
        """
        protocol, incoming = self._protocol, self._incoming
        stranger = budget if budget is not None and budget < self._max_size else None
        protocol.max_message_size = self._max_size if stranger is None else stranger
        protocol.receive_data(piece)
        for frame in protocol.events_received():
            if incoming.end is None:
                self._take(frame)
        if protocol.parser_exc is not None:
            too_big = incoming.too_big() if stranger is None else stranger_too_big(stranger)
            incoming.end = incoming.end or _closed_by(protocol.parser_exc, too_big)
        elif protocol.writes:
            for answer in protocol.data_to_send():
                if answer:
                    self.control(answer)

    def close(self) -> None:
        """Forget what has been read; the library's parser and its protocol hold each other."""
        self._protocol.parser.close()

    def _take(self, frame: Event) -> None:
        """Take one frame; it may make a message whole."""
        assert isinstance(frame, Frame)  # a core without a handshake makes nothing else
        opcode = frame.opcode
        if opcode is Opcode.CLOSE:
            self._incoming.end = TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
            return
        if opcode is Opcode.PING or opcode is Opcode.PONG:
            return
        if opcode is not Opcode.CONT:
            self._is_text = opcode is Opcode.TEXT
        self._parts.append(bytes(frame.data))
        if frame.fin:
            data, self._parts = b"".join(self._parts), []
            if self._is_text:
                self._incoming.add_text(data)
            else:
                self._incoming.add(data)


def _nowhere(data: bytes) -> None:
    """Forget a frame that nobody has a place for."""


def _closed_by(error: Exception, too_big: Explanation) -> TransportClosed:
    """Return the end that an error of the core stands for."""
    if isinstance(error, EOFError):
        return TransportClosed(DisconnectReason.TRANSPORT_CLOSE)
    code = INVALID_DATA if isinstance(error, UnicodeDecodeError) else PROTOCOL_ERROR
    why = Explanation(str(error))
    if isinstance(error, PayloadTooBig):
        code, why = TOO_BIG, too_big
    return TransportClosed(DisconnectReason.TRANSPORT_ERROR, code, why)


class WebsocketsConnection(Reader):
    """One connection; see `library.Backend`."""

    def __init__(
        self,
        pipe: ByteStream,
        options: EngineOptions,
        extension: PerMessageDeflate | None,
        threshold: int | None,
    ) -> None:
        max_size = options.max_http_buffer_size
        incoming = FrameParser(max_size, options.max_fragments, apply_mask)
        super().__init__(pipe, incoming, options.handshake_buffer_size)
        self.control: Control = _nowhere
        self.compresses = extension is not None
        self._max_size = max_size
        self._deflate = extension
        self._threshold = threshold or 0
        self._core: Core | None = None

    async def consult(self, piece: bytes) -> None:
        """Have the core read a piece; a core takes 1.5 kB, and most clients never need one."""
        if self._core is None:
            extensions = [self._deflate] if self._deflate else []
            self._core = Core(self.incoming, self._max_size, extensions)
        self._core.control = self.control
        self._core.read(piece, self.budget)

    def stop(self) -> None:
        """Forget what has been read, the core's part of it too."""
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

    def own_frames(self, item: Encoded, wire_format: WireFormat) -> bytes:
        """Return the compressed frames of an item."""
        assert self._deflate is not None
        frames = [Frame(Opcode(kind), data) for kind, data in payloads(item.wire(wire_format))]
        return b"".join([f.serialize(mask=False, extensions=[self._deflate]) for f in frames])


def _factory(option: CompressionOption) -> ServerPerMessageDeflateFactory:
    given: dict[str, Any] = {} if isinstance(option, bool) else dict(option)
    given.pop("threshold", None)
    settings = {"level": given.pop("level", COMPRESSION_LEVEL)}
    if "memory_level" in given:
        settings["memLevel"] = given.pop("memory_level")
    return ServerPerMessageDeflateFactory(**given, compress_settings=settings)


def _negotiate(request: Request, option: CompressionOption) -> tuple[PerMessageDeflate | None, str]:
    """Return the extension agreed upon and the header that says so, or `None` and `""`.

    A client may offer it several times, the settings that it likes best first (RFC 7692, 5.1).
    """
    field = request.headers.get("sec-websocket-extensions")
    if option is False or not field:
        return None, ""
    factory = _factory(option)
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
