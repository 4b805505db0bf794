"""How one client's packets become the body of a response, and the body of a POST packets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trio_sio.protocol.encoded import POLL3_BINARY, POLL3_TEXT, Encoded
from trio_sio.protocol.engineio import codec_v3
from trio_sio.protocol.engineio.packet import EnginePacket


class PayloadFormat(NamedTuple):
    """What a client has asked for in its handshake.

    Attributes:
        base64: whether the client cannot take binary payloads; so it is with JSONP.
        jsonp: the index of the JSONP callback, `None` for XHR.
    """

    base64: bool
    jsonp: str | None = None

    def is_binary(self, items: Sequence[Encoded]) -> bool:
        """Whether the body of a response with these packets is a binary one."""
        return not self.base64 and True in [item.has_binary for item in items]

    def encode(self, items: Sequence[Encoded], *, is_binary: bool) -> bytes:
        """Return the body of a response; `is_binary` is as the method of this name says."""
        if self.jsonp is not None:
            return codec_v3.encode_jsonp(self.jsonp, POLL3_TEXT.join(items))
        form = POLL3_BINARY if is_binary else POLL3_TEXT
        return form.join(items) if items[1:] else items[0].wire(form)

    def decode(self, body: bytes, *, is_binary: bool) -> Iterator[EnginePacket]:
        """Yield the packets of a POST's body.

        Args:
            body: the body.
            is_binary: whether its Content-Type says that it is a binary one.

        Raises:
            RemoteProtocolError: what follows is no packet.
        """
        if self.jsonp is not None:
            return codec_v3.decode_jsonp_payload(body)
        if is_binary:
            return codec_v3.decode_binary_payload(body)
        return codec_v3.decode_text_payload(body)
