"""Compression of an application's WebSockets (RFC 7692), within the limit of a message's size.

wsproto inflates whatever comes, and a message may become a thousand times as large as what was
sent. Nothing is kept between messages, so a client that sends nothing costs no window of zlib's.
"""

import zlib

from wsproto.extensions import PerMessageDeflate
from wsproto.frame_protocol import CloseReason, FrameDecoder, FrameProtocol, Opcode, RsvBits

from trio_sio.options.compression import COMPRESSION_THRESHOLD


class BoundedDeflate(PerMessageDeflate):
    """Compresses messages of `COMPRESSION_THRESHOLD` bytes and more, and inflates up to a limit.

    Args:
        max_message_size: bytes that a message of the client's may have once it is inflated.
    """

    def __init__(self, max_message_size: int) -> None:
        super().__init__(client_no_context_takeover=True, server_no_context_takeover=True)
        self._max_message_size = max_message_size
        self._inflated = 0  # of the present message

    def accept(self, offer: str) -> bool | str | None:
        """Return the parameters that are agreed upon; `None` for no compression."""
        try:
            return super().accept(offer)
        except ValueError:  # a size that is no number
            return None

    def frame_inbound_header(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        payload_length: int,
    ) -> CloseReason | RsvBits:
        """Take the head of a frame; one of control says nothing of the message around it."""
        before = self._inbound_compressed
        answer = super().frame_inbound_header(proto, opcode, rsv, payload_length)
        if opcode.iscontrol():
            self._inbound_compressed = before
        return answer

    def frame_inbound_payload_data(
        self, proto: FrameDecoder | FrameProtocol, data: bytes
    ) -> bytes | CloseReason:
        """Inflate a piece of a message."""
        if not self._inbound_compressed or not self._inbound_is_compressible:
            return data
        assert self._decompressor is not None
        try:
            room = self._max_message_size - self._inflated
            piece = self._decompressor.decompress(data, room + 1)
        except zlib.error:
            return CloseReason.INVALID_FRAME_PAYLOAD_DATA
        self._inflated += len(piece)
        return CloseReason.MESSAGE_TOO_BIG if len(piece) > room else piece

    def frame_inbound_complete(
        self, proto: FrameDecoder | FrameProtocol, fin: bool
    ) -> bytes | CloseReason | None:
        """Take the end of a frame, which may be that of the message."""
        if not self._inbound_is_compressible:
            return None
        if fin:
            self._inflated = 0
        return super().frame_inbound_complete(proto, fin)

    def frame_outbound(
        self,
        proto: FrameDecoder | FrameProtocol,
        opcode: Opcode,
        rsv: RsvBits,
        data: bytes,
        fin: bool,
    ) -> tuple[RsvBits, bytes]:
        """Compress a message, which is one frame, if that is worth it."""
        if len(data) < COMPRESSION_THRESHOLD:
            return rsv, data
        return super().frame_outbound(proto, opcode, rsv, data, fin)
