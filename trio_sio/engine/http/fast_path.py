"""Reads the heads of requests that Socket.IO clients send all day, without h11.

h11 takes 60 µs for a request, several times what the event in it costs. A head that has arrived
whole and is of the plainest form is read here: HTTP/1.1, one Host, a Content-Length or no body, and
nothing that changes how the connection goes on, except for an upgrade to WebSocket. That is a
strict subset of what h11 accepts, and means the same to both; everything else is left to h11.

Why not httptools, whose parser is written in C? `python3 -m benchmarks.heads` compares the readers
on the requests of a browser. A client repeats its header fields, and recognising them saves what
httptools does anew: with a parser kept for each connection, and without our checks of the fields,
it takes 1.3 to 2.7 times as long for a further poll or POST, and 0.5 to 0.6 times as long for the
first request of a connection: a few microseconds either way. (h11 takes 12 to 17 times as long.) It
reads past the end of a request without saying where that was, accepts a request without a Host or
with two, HTTP/0.9 and two spaces before a target, and would be one more extension to compile.
"""

import re
from typing import NamedTuple

from trio_sio.engine.http.exchange import Exchange
from trio_sio.protocol.http.request_target import is_host

_HEAD = re.compile(
    rb"(GET|POST|OPTIONS) (/[!\"$-~]*) HTTP/1\.1\r\n"
    rb"((?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[ \t]*(?:[!-~\x80-\xff][\t -~\x80-\xff]*)?\r\n)+)\r\n"
)
_DIGITS = re.compile("[0-9]{1,15}")

_NOT_PLAIN = frozenset({"transfer-encoding", "expect", "te", "trailer"})
_CONNECTION = {"keep-alive": 0, "upgrade": 1, "keep-alive, upgrade": 1}
"""What the field Connection may say; 1 if the field Upgrade has to go with it."""
_USUAL_NAMES = (
    *("Accept", "Accept-Encoding", "Accept-Language", "Cache-Control", "Connection"),
    *("Content-Length", "Content-Type", "Cookie", "Host", "Origin", "Pragma", "Referer"),
    *("Sec-Fetch-Dest", "Sec-Fetch-Mode", "Sec-Fetch-Site", "Sec-WebSocket-Extensions"),
    *("Sec-WebSocket-Key", "Sec-WebSocket-Version", "Upgrade", "User-Agent"),
    *("X-Forwarded-For", "X-Forwarded-Proto"),
)
_NAMES = {form: name.lower() for name in _USUAL_NAMES for form in (name, name.lower())}
"""One string for all clients: each session keeps the fields of its handshake, whose names would
take 600 bytes."""


class Fields(NamedTuple):
    """The header fields of a plain request.

    Attributes:
        lines: as they came.
        fields: names in lower case, and values.
        announced: bytes of the body.
    """

    lines: bytes
    fields: list[tuple[str, str]]
    announced: int


NO_FIELDS = Fields(b"", [], 0)


def read_head(
    data: bytes, before: Fields = NO_FIELDS, limit: int = 16 * 1024
) -> tuple[Exchange, Fields, int] | None:
    """Return the request that `data` begins with, its fields, and where its head ends.

    `None` means that it is not plain, or not whole.

    Args:
        data: what the client has sent.
        before: the fields of its previous request; a client repeats them, and reading them takes
            as long as everything else.
        limit: bytes that the head may have.
    """
    found = _HEAD.match(data, 0, limit)
    if found is None:
        return None
    method, target, lines = found.groups()
    fields = before if lines == before.lines else _read_fields(lines)
    if fields is None:
        return None
    _, values, size = fields
    exchange = Exchange(method.decode(), target.decode(), values, size, size, is_fast=True)
    return exchange, fields, found.end()


def _read_fields(lines: bytes) -> Fields | None:
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
            if not is_host(value):
                return None
            hosts += 1
        elif name == "content-length":
            if not _DIGITS.fullmatch(value):
                return None
            announced = int(value)
            lengths += 1
        fields.append((name, value))
    if hosts != 1 or lengths > 1 or upgrades:
        return None
    return Fields(lines, fields, announced)
