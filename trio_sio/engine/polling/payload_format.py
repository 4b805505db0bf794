"""How one client's packets become the body of a response, and the body of a POST packets."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.engineio.version import EIO3, EngineVersion


class PayloadFormat(NamedTuple):
    """What a client has asked for in its handshake.

    Attributes:
        base64: whether the client cannot take binary payloads; so it is with JSONP.
        jsonp: the index of the JSONP callback, `None` for XHR.
        version: what the client speaks.
    """

    base64: bool
    jsonp: str | None = None
    version: EngineVersion = EIO3

    def is_binary(self, items: Sequence[Encoded]) -> bool:
        """Whether the body of a response with these packets is a binary one."""
        return not self.base64 and True in [item.has_binary for item in items]

    def encode(self, items: Sequence[Encoded], *, is_binary: bool) -> bytes:
        """Return the body of a response; `is_binary` is as the method of this name says."""
        version = self.version
        if self.jsonp is not None:
            return version.encode_jsonp(self.jsonp, version.text_body.join(items))
        form = version.binary_body if is_binary else version.text_body
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
            return self.version.decode_jsonp_body(body)
        if is_binary:
            return self.version.decode_binary_body(body)
        return self.version.decode_text_body(body)
