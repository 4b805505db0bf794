"""What is known of a client from its handshake (JS: `socket.handshake`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from trio_sio.http import Request
from trio_sio.protocol.engineio.handshake import Query, parse_query
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.packet import JSON


@dataclass(frozen=True, slots=True)
class Handshake:
    """The nine fields of JavaScript's `socket.handshake`, and `get` for the query's values.

    Attributes:
        headers: the handshake request's header fields, by lower-case name; repeated ones as
            in Node.js: `cookie` is joined by "; ", most by ", ", and of fields that can have one
            value only the first counts.
        time: when the socket was made, in UTC.
        address: the peer's address.
        xdomain: whether the request had an Origin.
        secure: whether the server's own stream is TLS.
        issued: `time` in milliseconds since 1970.
        url: the request-target as it came.
        query: the request's query, and over it what a 2.x client has put behind the namespace's
            name; a key that comes twice has a list as value, as in Node.js, which `get` and
            `get_all` spare you.
        auth: what the client says with the namespace: the option `auth` of a client of Socket.IO
            3 or 4; of a 2.x client, what it has put behind the name.
    """

    headers: dict[str, str]
    time: datetime
    address: str
    xdomain: bool
    secure: bool
    issued: int
    url: str
    query: Query
    auth: dict[str, JSON]

    def get(self, key: str, default: str = "") -> str:
        """Return a value of the query, the last one if there are several, or `default`."""
        values = self.get_all(key)
        return values[-1] if values else default

    def get_all(self, key: str) -> list[str]:
        """Return all values of the query with this key."""
        value = self.query.get(key, [])
        return [value] if isinstance(value, str) else list(value)

    def as_json(self) -> dict[str, JSON]:
        """Return the nine members as JavaScript has them."""
        return {
            "headers": dict(self.headers),
            "time": f"{self.time:%a %b %d %Y %H:%M:%S} GMT+0000",
            "address": self.address,
            "xdomain": self.xdomain,
            "secure": self.secure,
            "issued": self.issued,
            "url": self.url,
            "query": {key: _plain(value) for key, value in self.query.items()},
            "auth": dict(self.auth),
        }

    @classmethod
    def of_json(cls, members: Mapping[str, JSON]) -> "Handshake":
        """Read what another server tells of a handshake; what is missing is empty."""
        issued, moment = _moment(members.get("issued"))
        return cls(
            headers={key: _text(value) for key, value in _members(members.get("headers"))},
            time=moment,
            address=_text(members.get("address")),
            xdomain=bool(members.get("xdomain")),
            secure=bool(members.get("secure")),
            issued=issued,
            url=_text(members.get("url")),
            query={key: _values(value) for key, value in _members(members.get("query"))},
            auth=dict(_members(members.get("auth"))),
        )

    @classmethod
    def of(
        cls, request: Request, auth: Mapping[str, JSON], now: float, *, is_query: bool
    ) -> "Handshake":
        """Read a handshake request.

        Args:
            request: the request.
            auth: what the namespace's CONNECT brought.
            now: when the socket was made, in seconds since 1970.
            is_query: whether it is a query, as that of a 2.x client, which belongs to the other.
        """
        headers = {name: request.headers.get(name) for name, _ in request.headers}
        try:
            asked = parse_query(request.query_string)
        except RemoteProtocolError:  # the engine has refused such a query already
            asked = {}
        return cls(
            headers=headers,
            time=datetime.fromtimestamp(now, UTC),
            address=request.remote,
            xdomain="origin" in headers,
            secure=request.secure,
            issued=int(now * 1000),
            url=request.target,
            query={**asked, **cast("Query", auth)} if is_query else asked,
            auth=dict(auth),
        )


def _moment(issued: JSON) -> tuple[int, datetime]:
    """Return a moment in milliseconds since 1970, and as such; the first one if it is none."""
    if isinstance(issued, int | float):
        try:
            return int(issued), datetime.fromtimestamp(issued / 1000, UTC)
        except (ValueError, OverflowError, OSError):
            pass
    return 0, datetime.fromtimestamp(0, UTC)


def _plain(value: str | list[str]) -> JSON:
    return value if isinstance(value, str) else [*value]


def _text(value: JSON) -> str:
    return value if isinstance(value, str) else ""


def _values(value: JSON) -> str | list[str]:
    return [_text(one) for one in value] if isinstance(value, list) else _text(value)


def _members(value: JSON) -> Iterable[tuple[str, JSON]]:
    return value.items() if isinstance(value, dict) else ()


def split_namespace(name: str) -> tuple[str, Query]:
    """Return the name and the query of a CONNECT packet's namespace: "/chat?token=1".

    Raises:
        RemoteProtocolError: the query has too many fields.
    """
    path, _, query = name.partition("#")[0].partition("?")
    return path, parse_query(query) if query else {}
