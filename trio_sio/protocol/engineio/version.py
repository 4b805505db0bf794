"""What differs between the revisions of Engine.IO: how packets are spelled, and who pings.

A transport and a session are given the version that their client speaks, and take everything of
the kind from there.

| version | clients           | `EIO` | pings      |
| ------- | ----------------- | ----- | ---------- |
| `EIO3`  | socket.io 1 and 2 | 3     | the client |
| `EIO4`  | socket.io 3 and 4 | 4     | the server |
"""

from binascii import b2a_base64
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from trio_sio.protocol.encoded import (
    POLL3_BINARY,
    POLL3_TEXT,
    POLL4,
    WS3,
    WS3_BASE64,
    WS4,
    WS4_BASE64,
    Encoded,
    WireFormat,
)
from trio_sio.protocol.engineio import codec_v3, codec_v4
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
        number: its number, as in the query of a request (`EIO`).
        client_pings: whether the client pings, and the server answers.
        has_binary_bodies: whether a body by polling may be binary.
        has_jsonp: whether a client may poll by JSONP.
        repeats_cookie: whether each response of polling has the cookie, or only the first.
        overlap_status: the HTTP status of a second GET or POST while one is under way.
        frames: WebSocket frames of packets.
        base64_frames: the same for a client that cannot take binary frames.
        binary_message: returns what a WebSocket of somebody else sends for binary data.
        base64_message: the same for a client that cannot take binary messages.
        text_body: the body of a polling response that is text.
        binary_body: one that is binary.
        decode_text: returns the packet of a text message; raises `RemoteProtocolError`.
        decode_binary: returns the packet of a binary message.
        decode_text_body: yields the packets of a POST's body; raises `RemoteProtocolError`.
        decode_binary_body: the same of a binary body.
        decode_jsonp_body: the same of a JSONP form.
        encode_jsonp: returns the script that hands a text body to a JSONP callback.
        ping: what the server asks with whether the client is there, where it is the one that asks.
        pong: what a client's ping is answered with.
        noop: answers a poll that is let go without packets.
        close: says that the session is over.
        probe: what a WebSocket that a client tries begins with.
        probe_answer: what it is answered with.
    """

    number: int
    client_pings: bool
    has_binary_bodies: bool
    has_jsonp: bool
    repeats_cookie: bool
    overlap_status: int
    frames: WireFormat
    base64_frames: WireFormat
    binary_message: Callable[[bytes], bytes]
    base64_message: Callable[[bytes], str]
    text_body: WireFormat
    binary_body: WireFormat
    decode_text: Callable[[str], EnginePacket]
    decode_binary: Callable[[bytes], EnginePacket]
    decode_text_body: Callable[[bytes], Iterator[EnginePacket]]
    decode_binary_body: Callable[[bytes], Iterator[EnginePacket]]
    decode_jsonp_body: Callable[[bytes], Iterator[EnginePacket]]
    encode_jsonp: Callable[[str, bytes], bytes]
    ping: Encoded
    pong: Encoded
    noop: Encoded
    close: Encoded
    probe: EnginePacket
    probe_answer: Encoded


EIO3: Final = EngineVersion(
    number=3,
    client_pings=True,
    has_binary_bodies=True,
    has_jsonp=True,
    repeats_cookie=True,
    overlap_status=500,
    frames=WS3,
    base64_frames=WS3_BASE64,
    binary_message=lambda data: b"\x04" + data,
    base64_message=lambda data: "b4" + b2a_base64(data, newline=False).decode("ascii"),
    text_body=POLL3_TEXT,
    binary_body=POLL3_BINARY,
    decode_text=decode_text,
    decode_binary=decode_binary,
    decode_text_body=codec_v3.decode_text_payload,
    decode_binary_body=codec_v3.decode_binary_payload,
    decode_jsonp_body=codec_v3.decode_jsonp_payload,
    encode_jsonp=codec_v3.encode_jsonp,
    ping=Encoded(("2",)),
    pong=Encoded(("3",)),
    noop=Encoded(("6",)),
    close=Encoded(("1",)),
    probe=EnginePacket(EnginePacketType.PING, "probe"),
    probe_answer=Encoded(("3probe",)),
)

EIO4: Final = replace(
    EIO3,
    number=4,
    client_pings=False,
    has_binary_bodies=False,
    has_jsonp=False,
    repeats_cookie=False,
    overlap_status=400,
    frames=WS4,
    base64_frames=WS4_BASE64,
    binary_message=lambda data: data,
    base64_message=lambda data: "b" + b2a_base64(data, newline=False).decode("ascii"),
    text_body=POLL4,
    binary_body=POLL4,
    decode_text=codec_v4.decode_text,
    decode_binary=codec_v4.decode_binary,
    decode_text_body=codec_v4.decode_payload,
    decode_binary_body=codec_v4.decode_payload,
)

VERSIONS: Final = {version.number: version for version in (EIO3, EIO4)}
"""By their numbers."""
