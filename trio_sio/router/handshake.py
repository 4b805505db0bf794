"""What is known of a client from its handshake (JS: `socket.handshake`)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from trio_sio.http import Request
from trio_sio.protocol.engineio.handshake import Query, parse_query
from trio_sio.protocol.errors import RemoteProtocolError


@dataclass(frozen=True, slots=True)
class Handshake:
    """The eight fields of JavaScript's `socket.handshake`, and `get` for the query's values.

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
        query: the request's query, and over it the namespace's; a key that comes twice has a
            list as value, as in Node.js, which `get` and `get_all` spare you.
    """

    headers: dict[str, str]
    time: datetime
    address: str
    xdomain: bool
    secure: bool
    issued: int
    url: str
    query: Query

    def get(self, key: str, default: str = "") -> str:
        """Return a value of the query, the last one if there are several, or `default`."""
        values = self.get_all(key)
        return values[-1] if values else default

    def get_all(self, key: str) -> list[str]:
        """Return all values of the query with this key."""
        value = self.query.get(key, [])
        return [value] if isinstance(value, str) else list(value)

    @classmethod
    def of(cls, request: Request, query: Query, now: float) -> "Handshake":
        """Read a handshake request.

        Args:
            request: the request.
            query: what the namespace's CONNECT brought.
            now: when the socket was made, in seconds since 1970.
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
            query={**asked, **query},
        )


def split_namespace(name: str) -> tuple[str, Query]:
    """Return the name and the query of a CONNECT packet's namespace: "/chat?token=1".

    Raises:
        RemoteProtocolError: the query has too many fields.
    """
    path, _, query = name.partition("#")[0].partition("?")
    return path, parse_query(query) if query else {}
