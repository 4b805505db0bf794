"""What is known of a client from its handshake (JS: `socket.handshake`)."""

from dataclasses import dataclass
from datetime import UTC, datetime

from trio_sio.http import Request
from trio_sio.protocol.engineio.handshake import Query, parse_query
from trio_sio.protocol.errors import RemoteProtocolError


@dataclass(frozen=True, slots=True)
class Handshake:
    """The eight fields of JavaScript's `socket.handshake`.

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
        query: the request's query, and over it the namespace's.
    """

    headers: dict[str, str]
    time: datetime
    address: str
    xdomain: bool
    secure: bool
    issued: int
    url: str
    query: Query

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
