"""Bytes for servers: noise, and what clients say with a few places wrong."""

import re
from collections.abc import Mapping, Sequence
from itertools import product
from types import MappingProxyType

from hypothesis import strategies as st

from trio_sio.testing.wire_websocket import (
    BINARY,
    CLOSE,
    CONTINUATION,
    PING,
    PONG,
    TEXT,
    frame_bytes,
    handshake_headers,
)

EMPTY: Mapping[str, str] = MappingProxyType({})

LONGEST = 20_000
"""Bytes that are sent at once; limits are set so low that this is beyond them."""

TEXTS = [
    *("2", "2probe", "5", "6", "3", "1", "0", "", "7", "b4QQ=="),
    *("40", "40/chat,", "40/chat?a=1,", "41", "41/chat,", "40/nowhere,", '44"x"', "40{}"),
    *('42["echo",1]', '427["echo",{"a":[null,true,1e5,"\\ud800"]}]', '42/chat,8["echo"]'),
    *('42["fetch"]', "430[1]", "43[]", '42["disconnect"]', '42["error",{}]', '4242["x"]'),
    *('451-["echo",{"_placeholder":true,"num":0}]', '452-7["echo",{"_placeholder":true,"num":1}]'),
    '461-0[{"_placeholder":true,"num":0}]',
]
BLOBS = [b"\x04", b"\x04data", b"\x02", b"\x01", b"\xff", b"", b"\x04" + bytes(300)]

TEXTS_4 = [
    *("3", "3probe", "b", "bAQID", "b!!!", "4", "40{}", '40{"token":"1"}', '40/chat,{"a":[1]}'),
    *('40/slow,{"a":1}', "401", "40/", "40/chat?a=1,", "40[1]", "44", '44{"message":"x"}', "47"),
    *('42["echo"]\x1e42["echo"]', "\x1e", "4\x1e", '42["connect_error"]', "430[]", "1"),
    '40{"a":' + "[" * 50 + "]" * 50 + "}",
]

FRAMES = [
    *(frame_bytes(TEXT, text.encode()) for text in (*TEXTS, *TEXTS_4)),
    *(frame_bytes(BINARY, blob) for blob in BLOBS),
    *(frame_bytes(PING, payload) for payload in (b"", b"ping", bytes(125))),
    frame_bytes(PONG, b"pong"),
    *(frame_bytes(CLOSE, payload) for payload in (b"", b"\x03\xe8", b"\x03\xe9bye")),
    frame_bytes(TEXT, b'42["ec', fin=False) + frame_bytes(CONTINUATION, b'ho",1]'),
    frame_bytes(BINARY, b"\x04", fin=False),
    frame_bytes(CONTINUATION, b"x", fin=False),
    frame_bytes(CONTINUATION, b"x"),
    frame_bytes(TEXT, b"\xca\x31\x02\x00", rsv=4),
]

_PATH = "/socket.io/?EIO={}&transport="
_PAYLOADS_4 = [
    b"3",
    b'42["echo","x"]',
    b'4240["echo","x"]\x1e40/chat,\x1e3',
    b'451-["echo",{"_placeholder":true,"num":0}]\x1ebAQID',
    b"bAQID\x1ebAQID",
    b"3\x1e",
    b"\x1e3",
    b"3\x1e\x1e3",
    b"3\x1e\xff\xfe",
    b"\x1e" * 50,
    b"3:4ab",
    b"1\x1e3",
]
_PAYLOADS = [
    b"1:2",
    b'14:42["echo","x"]',
    b"6:b4QQ==2:40",
    b"\x00\x01\xff2",
    b"\x01\x05\xff\x04data",
    b"1:1",
    b"d=3%3A2%5C%5Cn",
    "3:4\u20acx".encode(),
]


def request(
    method: str, target: str, body: bytes = b"", fields: Mapping[str, str] = EMPTY
) -> bytes:
    """Return the bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1", "Host: a", *(f"{n}: {v}" for n, v in fields.items())]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


def _requests() -> list[bytes]:
    found = [
        request("GET", "/socket.io/socket.io.js"),
        request("GET", "/elsewhere"),
        request("GET", "/", fields={"Connection": "close"}),
        request("GET", "/socket.io/").replace(b"1.1", b"1.0"),
    ]
    upgrade = {**handshake_headers(), "Sec-WebSocket-Extensions": "permessage-deflate"}
    queries = ("polling", "polling&j=0", "polling&b64=1", "websocket", "x")
    for revision, query in product((3, 4), queries):
        for sid in ("", "&sid=victim1", "&sid=victim2", "&sid=nobody"):
            target = f"{_PATH.format(revision)}{query}{sid}"
            found += [request("GET", target), request("OPTIONS", target)]
            found.append(request("GET", target, fields=upgrade))
            payloads = _PAYLOADS if revision == 3 else _PAYLOADS_4
            found += [request("POST", target, body) for body in payloads]
            asks = {"Expect": "100-continue", "Content-Type": "application/octet-stream"}
            found.append(request("POST", target, _PAYLOADS[3], asks))
            chunks = b"3\r\n1:2\r\n0\r\n\r\n"
            found.append(request("POST", target, fields={"Transfer-Encoding": "chunked"}) + chunks)
    return found


REQUESTS = _requests()
BODIES = [*_PAYLOADS, *_PAYLOADS_4, b"x" * 90]

# -- damage --------------------------------------------------------------------------------------

_HUGE = (2**15, 2**16 - 1, 2**31, 2**32 - 1, 2**63 - 1, 2**63, 2**64 - 1)
_DIGITS = re.compile(rb"[0-9]+")


@st.composite
def damaged(draw: st.DrawFn, pieces: Sequence[bytes]) -> bytes:
    """Some pieces in a row, with bits flipped, slices cut, repeated, spliced, and huge lengths."""
    data = b"".join(draw(st.lists(st.sampled_from(pieces), min_size=1, max_size=3)))
    for _ in range(draw(st.integers(0, 3))):
        start = draw(st.integers(0, len(data)))
        end = draw(st.integers(start, min(start + 40, len(data))))
        before, middle, behind = data[:start], data[start:end], data[end:]
        match draw(st.sampled_from(("flip", "cut", "repeat", "splice", "number", "frame"))):
            case "flip":
                middle = bytes(byte ^ 1 << draw(st.integers(0, 7)) for byte in middle[:3])
            case "cut":
                middle = b""
            case "repeat":
                middle *= draw(st.sampled_from((2, 3, 50)))
            case "splice":
                middle = draw(st.sampled_from(pieces)) + draw(st.binary(max_size=4))
            case "number":
                number = str(draw(st.sampled_from(_HUGE))).encode()
                behind = _DIGITS.sub(number, middle + behind, count=1)
                middle = b""
            case _:
                middle = huge_head(draw(st.integers(0, 255)), draw(st.sampled_from(_HUGE)))
        data = before + middle + behind
    return data[:LONGEST]


def huge_head(first: int, size: int) -> bytes:
    """Return the head of a masked frame that announces so many bytes."""
    if size < 2**16:
        return bytes((first, 0xFE)) + size.to_bytes(2, "big") + b"mask"
    return bytes((first, 0xFF)) + size.to_bytes(8, "big") + b"mask"


def bytes_for(pieces: Sequence[bytes]) -> st.SearchStrategy[bytes]:
    """Anything that a client may send where those pieces would make sense."""
    anything = st.one_of(damaged(pieces), damaged(pieces), st.binary(max_size=200))
    return st.one_of(anything, damaged([*REQUESTS, *FRAMES]))
