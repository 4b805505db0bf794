"""What differs between the revisions of Engine.IO: how packets are spelled, and who pings.

A transport and a session are given the version that their client speaks, and take everything of
the kind from there. One is spoken here:

| version | clients           | `EIO` | pings      |
| ------- | ----------------- | ----- | ---------- |
| `EIO3`  | socket.io 1 and 2 | 3     | the client |
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from trio_sio.protocol.encoded import (
    POLL3_BINARY,
    POLL3_TEXT,
    WS3,
    WS3_BASE64,
    Encoded,
    WireFormat,
)
from trio_sio.protocol.engineio import codec_v3
from trio_sio.protocol.engineio.packet import (
    EnginePacket,
    EnginePacketType,
    decode_binary,
    decode_text,
)


@dataclass(frozen=True, slots=True, eq=False)
class EngineVersion:
    """One revision of the protocol.

    Attributes:
        name: its number, as in the query of a request (`EIO`).
        client_pings: whether the client pings, and the server answers.
        frames: WebSocket frames of packets.
        base64_frames: the same for a client that cannot take binary frames.
        text_body: the body of a polling response that is text.
        binary_body: one that is binary.
        decode_text: returns the packet of a text message; raises `RemoteProtocolError`.
        decode_binary: returns the packet of a binary message.
        decode_text_body: yields the packets of a POST's body; raises `RemoteProtocolError`.
        decode_binary_body: the same of a binary body.
        decode_jsonp_body: the same of a JSONP form.
        encode_jsonp: returns the script that hands a text body to a JSONP callback.
        pong: what a client's ping is answered with.
        noop: answers a poll that is let go without packets.
        close: says that the session is over.
        probe: what a WebSocket that a client tries begins with.
        probe_answer: what it is answered with.
    """

    name: str
    client_pings: bool
    frames: WireFormat
    base64_frames: WireFormat
    text_body: WireFormat
    binary_body: WireFormat
    decode_text: Callable[[str], EnginePacket]
    decode_binary: Callable[[bytes], EnginePacket]
    decode_text_body: Callable[[bytes], Iterator[EnginePacket]]
    decode_binary_body: Callable[[bytes], Iterator[EnginePacket]]
    decode_jsonp_body: Callable[[bytes], Iterator[EnginePacket]]
    encode_jsonp: Callable[[str, bytes], bytes]
    pong: Encoded
    noop: Encoded
    close: Encoded
    probe: EnginePacket
    probe_answer: Encoded


EIO3: Final = EngineVersion(
    name="3",
    client_pings=True,
    frames=WS3,
    base64_frames=WS3_BASE64,
    text_body=POLL3_TEXT,
    binary_body=POLL3_BINARY,
    decode_text=decode_text,
    decode_binary=decode_binary,
    decode_text_body=codec_v3.decode_text_payload,
    decode_binary_body=codec_v3.decode_binary_payload,
    decode_jsonp_body=codec_v3.decode_jsonp_payload,
    encode_jsonp=codec_v3.encode_jsonp,
    pong=Encoded(("3",)),
    noop=Encoded(("6",)),
    close=Encoded(("1",)),
    probe=EnginePacket(EnginePacketType.PING, "probe"),
    probe_answer=Encoded(("3probe",)),
)
