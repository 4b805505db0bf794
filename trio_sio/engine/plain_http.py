"""The requests that Socket.IO clients send all day, read without h11.

h11 takes 60 µs for a request and as much for its answer, several times what the event in it
costs. A head that has come whole and is of the plainest form is read here: HTTP/1.1, one Host, a
Content-Length or no body, and nothing that changes how the connection goes on, but for an upgrade
to WebSocket. That is a strict part of what h11 accepts, and means the same to both; everything else
is h11's.
"""

import http
import re
from dataclasses import dataclass

from trio_sio.engine.message import Response

MAX_HEAD = 16 * 1024
"""Bytes; as h11's limit."""

_HEAD = re.compile(
    rb"(GET|POST|OPTIONS) (/[!-~]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*(?:[!-~\x80-\xff][\t -~\x80-\xff]*)?\r\n)+)\r\n"
)
_DIGITS = re.compile("[0-9]{1,15}")
_BREAKS = re.compile("[\r\n\0]")

_NOT_PLAIN = frozenset({"transfer-encoding", "expect", "te", "trailer"})
_CONNECTION = {"keep-alive": 0, "upgrade": 1, "keep-alive, upgrade": 1}
"""What the field may be; 1 if it goes with the one of an upgrade."""
_USUAL_NAMES = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection"),
    *("Content-Length", "Content-Type", "Cookie", "Host", "Origin", "Pragma", "Referer"),
    *("Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-WebSocket-Extensions"),
    *("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Proto"),
)
_NAMES = {form: name.lower() for name in _USUAL_NAMES for form in (name, name.lower())}
"""One text for all clients: each keeps its handshake's fields, and their names take 600 bytes."""
_PHRASES = {status.value: status.phrase for status in http.HTTPStatus}
_WITHOUT_BODY = frozenset({204, 304})


@dataclass(slots=True)
class PlainRequest:
    """A head that was read.

    Attributes:
        method: "GET", "POST" or "OPTIONS".
        target: the request-target.
        fields: names in lower case, and values.
        announced: bytes of the body.
        unread: bytes of the body that nobody has read.
        answered: whether the answer has been made.
        closes: whether it says that the connection ends with it.
    """

    method: str
    target: str
    fields: list[tuple[str, str]]
    announced: int
    unread: int
    answered: bool = False
    closes: bool = False


def read_head(data: bytes) -> tuple[PlainRequest, int] | None:
    """Return the request that `data` begins with and where its head ends.

    `None` means that it is not plain, or not whole.
    """
    found = _HEAD.match(data, 0, MAX_HEAD)
    if found is None:
        return None
    method, target, lines = found.groups()
    fields: list[tuple[str, str]] = []
    hosts = announced = lengths = upgrades = 0
    for line in lines.decode("latin-1").split("\r\n")[:-1]:
        name, _, value = line.partition(":")
        name, value = _NAMES.get(name) or name.lower(), value.strip(" \t")
        if name in _NOT_PLAIN:
            return None
        if name == "connection":
            wanted = _CONNECTION.get(value.lower())
            if wanted is None:
                return None
            upgrades += wanted
        elif name == "upgrade":
            if value.lower() != "websocket":
                return None
            upgrades -= 1
        elif name == "host":
            hosts += 1
        elif name == "content-length":
            if not _DIGITS.fullmatch(value):
                return None
            announced = int(value)
            lengths += 1
        fields.append((name, value))
    if hosts != 1 or lengths > 1 or upgrades:
        return None
    request = PlainRequest(method.decode(), target.decode(), fields, announced, announced)
    return request, found.end()


def answer(request: PlainRequest, response: Response) -> bytes:
    """Return the answer to a request, whose method is not HEAD.

    Raises:
        ValueError: a field of the response would break the head.
    """
    request.answered = True
    status = response.status
    head = [f"HTTP/1.1 {status} {_PHRASES.get(status, '')}"]
    has_length = False
    for name, value in response.headers:
        if _BREAKS.search(value) or _BREAKS.search(name):
            raise ValueError(f"a header field cannot be {name!r}: {value!r}")
        head.append(f"{name}: {value}")
        lower = name.lower()
        has_length = has_length or lower == "content-length"
        request.closes = request.closes or (lower == "connection" and value.lower() == "close")
    body = b"" if status in _WITHOUT_BODY else response.body
    if not has_length and status != 204:
        head.append(f"Content-Length: {len(body)}")
    if request.unread and not request.closes:
        # The rest of the body cannot be told from the next request.
        head.append("Connection: close")
        request.closes = True
    return "\r\n".join([*head, "", ""]).encode("latin-1") + body
