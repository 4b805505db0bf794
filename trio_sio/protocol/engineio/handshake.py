"""The query of a request, what is wrong with it, and the packet that opens a session.

A request names its transport and, once there is one, its session. The reference server checks
in this order, and the first failure decides:

| check                                                     | code |
| --------------------------------------------------------- | ---- |
| `transport` is one enabled transport                      | 0    |
| `sid`, if it is not empty, is a session                   | 1    |
| that session's transport is `transport` (not an upgrade)  | 3    |
| that session speaks the revision that `EIO` says          | 3    |
| without `sid`: the method is GET                          | 2    |
| without `sid`: `EIO` is a revision that is spoken         | 5    |
| without `sid`: the application admits the request         | 4    |

A key that comes more than once could be read in several ways, so it is refused where it is read,
with the code of what it was meant to be (`repeated_code`); the reference so refuses `transport` and
`sid` alone. `j` is read by handshakes only, and `b64` by upgrades as well.

Code 5 is that of later servers; socket.io 2.5 begins a session of Engine.IO 3 whatever `EIO` says,
and clients of other revisions wait in vain for what they know. A query without `EIO` is of 3.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import cast
from urllib.parse import parse_qs

from trio_sio.protocol.errors import RemoteProtocolError

MAX_QUERY_FIELDS = 1000
"""As many as the reference server's query parser reads."""

Query = dict[str, str | list[str]]
"""A parsed query string: a key that comes once has a string, one that comes again a list."""


class ErrorCode(IntEnum):
    """The `code` of a refused request."""

    TRANSPORT_UNKNOWN = 0
    SESSION_ID_UNKNOWN = 1
    BAD_HANDSHAKE_METHOD = 2
    BAD_REQUEST = 3
    FORBIDDEN = 4
    UNSUPPORTED_PROTOCOL = 5

    @property
    def message(self) -> str:
        """The text that goes with the code on the wire."""
        return _MESSAGES[self]

    @property
    def status(self) -> int:
        """The HTTP status that goes with the code."""
        return 403 if self is ErrorCode.FORBIDDEN else 400


_MESSAGES = {
    ErrorCode.TRANSPORT_UNKNOWN: "Transport unknown",
    ErrorCode.SESSION_ID_UNKNOWN: "Session ID unknown",
    ErrorCode.BAD_HANDSHAKE_METHOD: "Bad handshake method",
    ErrorCode.BAD_REQUEST: "Bad request",
    ErrorCode.FORBIDDEN: "Forbidden",
    ErrorCode.UNSUPPORTED_PROTOCOL: "Unsupported protocol version",
}


_PROTOCOLS = {"": 3, "3": 3, "4": 4}

_KEYS = {
    "transport": ErrorCode.TRANSPORT_UNKNOWN,
    "sid": ErrorCode.SESSION_ID_UNKNOWN,
    "b64": ErrorCode.BAD_REQUEST,
    "EIO": ErrorCode.UNSUPPORTED_PROTOCOL,
    "j": ErrorCode.BAD_REQUEST,
}
"""The engine's own keys, those first that more requests read."""


def error_body(code: int, message: str, detail: str = "") -> bytes:
    """Return the JSON body of a refused HTTP request.

    Args:
        code: an `ErrorCode`, or the application's own.
        message: the text that goes with it.
        detail: a sentence for whoever looks for the reason; clients do not look at it.
    """
    fields: dict[str, int | str] = {"code": code, "message": message}
    if detail:
        fields["detail"] = detail
    text = json.dumps(fields, separators=(",", ":"), ensure_ascii=False)
    return text.encode("utf-8", "backslashreplace")  # a lone surrogate as JSON's \udXXX


def parse_query(raw: str) -> Query:
    """Parse a query string as an HTML form does.

    Raises:
        RemoteProtocolError: more than `MAX_QUERY_FIELDS` fields.
    """
    if raw.count("&") >= MAX_QUERY_FIELDS:
        raise RemoteProtocolError(
            "Bad request", f"a query may have {MAX_QUERY_FIELDS} fields, this one has more"
        )
    if "%" not in raw and "+" not in raw:
        # Nothing is escaped, and nothing comes twice, in the requests of a client that polls.
        pairs = [pair.partition("=") for pair in raw.split("&") if pair]
        query: Query = {key: value for key, _, value in pairs}
        if len(query) == len(pairs):
            return query
    fields = parse_qs(raw, keep_blank_values=True)
    return {key: values[0] if len(values) == 1 else values for key, values in fields.items()}


@dataclass(slots=True)
class HandshakeRequest:
    """What the query of an Engine.IO request asks for.

    Attributes:
        transport: the transport asked for, `""` if there is none or several.
        sid: the session id, `""` for a handshake, or if there are several.
        base64: the receiver cannot take binary (`b64` with any value but the empty one).
        jsonp: the digits of the JSONP callback's index, `None` for XHR polling.
        version: the revision that the client says it speaks, `""` if it says nothing.
        repeated: the first of the engine's keys that comes more than once, `""` if none does.
        is_judged: the application has said which revision the client speaks, whatever it says.
    """

    transport: str
    sid: str
    base64: bool
    jsonp: str | None
    version: str = ""
    repeated: str = ""
    is_judged: bool = False

    @property
    def protocol(self) -> int:
        """The revision of Engine.IO that the client speaks; 0 for one that nobody knows."""
        return _PROTOCOLS.get(self.version, 0)

    @property
    def repeated_code(self) -> ErrorCode:
        """The code with which a request is refused that has a key `repeated`."""
        return _KEYS[self.repeated]

    @classmethod
    def from_query(cls, query: Mapping[str, str | list[str]]) -> "HandshakeRequest":
        """Read the keys the engine knows."""
        values = tuple(map(query.get, _KEYS))
        repeated = ""
        if list in map(type, values):
            repeated = next(key for key in _KEYS if isinstance(query.get(key), list))
            values = tuple([None if isinstance(value, list) else value for value in values])
        transport, sid, base64, version, index = cast("tuple[str | None, ...]", values)
        return cls(
            transport=transport or "",
            sid=sid or "",
            base64=bool(base64),
            jsonp=None if index is None else re.sub("[^0-9]", "", index),
            version=version or "",
            repeated=repeated,
        )


@dataclass(frozen=True, slots=True)
class OpenPacket:
    """What the server tells a new client. Times are seconds here, milliseconds on the wire."""

    sid: str
    upgrades: Sequence[str]
    ping_interval: float
    ping_timeout: float
    max_payload: int | None = None

    def encode(self) -> str:
        """Return the packet's text: `0{"sid":…,"upgrades":…,"pingInterval":…,"pingTimeout":…}`.

        These four are there always: without `upgrades` the JavaScript client crashes. Behind them
        Engine.IO 4 has `maxPayload`, the bytes that a POST may have.
        """
        fields: dict[str, str | list[str] | int] = {
            "sid": self.sid,
            "upgrades": list(self.upgrades),
            "pingInterval": round(self.ping_interval * 1000),
            "pingTimeout": round(self.ping_timeout * 1000),
        }
        if self.max_payload is not None:
            fields["maxPayload"] = self.max_payload
        return "0" + json.dumps(fields, separators=(",", ":"))
