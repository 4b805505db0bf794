"""HTTP requests and responses, as values that the engine and the application share."""

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Self

from trio_sio.protocol.http.errors import (
    BodyError as BodyError,
    BodyTooLarge as BodyTooLarge,
    BodyTooSlow as BodyTooSlow,
    InvalidBody as InvalidBody,
)
from trio_sio.protocol.http.field_list import has_element
from trio_sio.protocol.http.repeated_fields import combine
from trio_sio.protocol.http.response_check import WITHOUT_BODY, check_response

NO_STORE = ("Cache-Control", "no-store")
"""The field of a response that no cache may keep."""

BodyReader = Callable[[int], Awaitable[bytes]]


class Headers:
    """Header fields in their order; names are compared without regard to case.

    Args:
        fields: names and values.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple((name.lower(), value) for name, value in fields)

    @classmethod
    def of_lower(cls, fields: Iterable[tuple[str, str]]) -> "Headers":
        """Make the headers from fields whose names are in lower case already."""
        headers = cls.__new__(cls)  # each request has one, and nothing is left to do for it
        headers._fields = tuple(fields)
        return headers

    def get(self, name: str, default: str = "") -> str:
        """Return a field's value, or `default`.

        If a field comes more than once, this is the first value where there can be only one
        (`Authorization`, `Referer`, …), all values joined by "; " for `Cookie`, and by ", " for
        other fields, as in Node.js (`message.headers`). `get_all` returns each value.
        """
        name = name.lower()
        values = [value for key, value in self._fields if key == name]
        if not values:
            return default
        first, *others = values
        return combine(name, values) if others else first

    def get_all(self, name: str) -> list[str]:
        """Return the values of all fields with this name."""
        wanted = name.lower()
        return [value for key, value in self._fields if key == wanted]

    def __getitem__(self, name: str) -> str:
        if name not in self:
            raise KeyError(name)
        return self.get(name)

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.get_all(name))

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Headers({list(self._fields)!r})"


class Ends(NamedTuple):
    """The two ends of a connection, as far as they are known.

    Attributes:
        remote: the peer's address, `""` if it has none.
        remote_port: the peer's port, 0 if it has none.
        local: the server's own address and port; the path and `None` for a Unix socket.
    """

    remote: str = ""
    remote_port: int = 0
    local: tuple[str, int | None] | None = None


PieceReader = Callable[[int | None], Awaitable[bytes]]


async def _no_piece(limit: int | None) -> bytes:
    return b""


async def _no_body(limit: int) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; its body is read only when somebody asks for it.

    Attributes:
        method: such as "GET".
        target: the request-target as it was sent, query included.
        headers: the header fields.
        remote: the client's address, `""` if there is none: that of the peer, or what trusted
            proxies say (option `trusted_proxies`).
        secure: whether the client uses TLS, likewise.
        http_version: "1.0" or "1.1".
        remote_port: the client's port, 0 if it is not known: `X-Forwarded-For` names none.
        local: address and port at which the server got the request; the path and `None` for a
            Unix socket, `None` if it is not known.
    """

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    remote: str = ""
    secure: bool = False
    http_version: str = "1.1"
    remote_port: int = 0
    local: tuple[str, int | None] | None = None
    _read_body: BodyReader = field(default=_no_body, repr=False, compare=False)
    _read_piece: PieceReader = field(default=_no_piece, repr=False, compare=False)

    @property
    def path(self) -> str:
        """The part of the target before the question mark."""
        return self.target.partition("?")[0]

    @property
    def query_string(self) -> str:
        """The part of the target after the first question mark."""
        return self.target.partition("?")[2]

    @property
    def wants_websocket(self) -> bool:
        """Whether this is a request to upgrade to WebSocket.

        It may be of HTTP/1.0, although RFC 9110, 7.8, would have the fields ignored then: nginx
        sends that version unless it is configured otherwise, passes the 101 on, and the reference
        server accepts it.
        """
        protocols = self.headers.get_all("upgrade")
        return (
            bool(protocols)
            and has_element(protocols, "websocket")
            and has_element(self.headers.get_all("connection"), "upgrade")
        )

    @property
    def has_body(self) -> bool:
        """Whether a body has been announced; it may turn out to be empty."""
        lengths = self.headers.get_all("content-length")
        return "transfer-encoding" in self.headers or any(one.strip("0, ") for one in lengths)

    def without_body(self) -> "Request":
        """Return the same request, whose body is empty: it can be kept beyond its connection."""
        return replace(self, _read_body=_no_body, _read_piece=_no_piece)

    async def body(self, limit: int = 100_000) -> bytes:
        """Read the body.

        Args:
            limit: bytes; a larger body is refused before it is read.

        Raises:
            BodyTooLarge: it is larger.
            BodyTooSlow: it took too long to come.
            InvalidBody: it comes in chunks, which are not well-formed.
            trio.BrokenResourceError: the client went away in the middle.
        """
        return await self._read_body(limit)

    async def stream(self, limit: int | None = None) -> AsyncGenerator[bytes]:
        """Read the body piece by piece; no more than a piece is kept.

        A client that waits for `100 Continue` gets that when the first piece is asked for.

        Args:
            limit: bytes that the whole body may have, `None` for any number.

        Raises:
            BodyTooLarge: it is larger; raised as soon as that is known.
            BodyTooSlow: nothing came for `body_timeout`.
            InvalidBody: it comes in chunks, which are not well-formed.
            trio.BrokenResourceError: the client went away in the middle.
        """
        while piece := await self._read_piece(limit):
            yield piece


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; `Date` is added, and `Content-Length` where there has to be one.

    A response to HEAD may have the length that the response to GET has: its body is not sent.

    Args:
        status: from 200 to 599.
        headers: names and values.
        body: none for 204, 205 and 304. An async iterable of bytes is sent piece by piece: with
            the Content-Length that the headers give, which has to be right, or else in chunks, or,
            to HTTP/1.0, until the connection closes. An async generator is closed in any case.

    Raises:
        TypeError, ValueError: it cannot be sent; the message says what is wrong.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes | AsyncIterable[bytes] = b""

    def __post_init__(self) -> None:
        """Check the response here, where the traceback shows who makes it."""
        check_response(self.status, self.headers, self.body)

    @classmethod
    def text(
        cls,
        status: int,
        sentence: str,
        headers: Iterable[tuple[str, str]] = (),
        *,
        close: bool = False,
    ) -> Self:
        """Make a response of one line of plain text.

        Args:
            status: from 200 to 599.
            sentence: the line, without a line feed.
            headers: further header fields.
            close: whether to close the connection after it.

        Raises:
            TypeError, ValueError: as for `Response`.
        """
        fields = [("Content-Type", "text/plain; charset=utf-8"), *headers]
        if close:
            fields.append(("Connection", "close"))
        return cls(status, fields, f"{sentence}\n".encode("utf-8", "replace"))


class EngineResponse(Response):
    """A response that the engine makes, where checks would be a noticeable cost."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check nothing."""


@dataclass(frozen=True, slots=True)
class RefusalReport:
    """What `engine.on_refusal` is told of a refused request (JS: `connection_error`).

    Attributes:
        request: the request, without its body.
        code: what the client is told: 0 to 5, as Engine.IO numbers them.
        message: the text that goes with it, or the application's own.
        detail: a sentence that says what was wrong, `""` if the message does.
    """

    request: Request
    code: int
    message: str
    detail: str


def sendable_fields(response: Response) -> list[tuple[str, str]]:
    """Return the header fields, without the length where there must not be one."""
    if response.status not in WITHOUT_BODY:
        return response.headers
    return [one for one in response.headers if one[0].lower() != "content-length"]
