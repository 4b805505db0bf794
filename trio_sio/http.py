"""An HTTP request as the engine and the application see it, and the answer to it."""

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Self

from trio_sio.protocol.http.errors import (
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
    """Header fields in their order; names are looked up without regard to case.

    Args:
        fields: names and values.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple((name.lower(), value) for name, value in fields)

    @classmethod
    def of_lower(cls, fields: Iterable[tuple[str, str]]) -> "Headers":
        """Return the fields whose names are in lower case already."""
        headers = cls.__new__(cls)  # each request has one, and nothing is left to do for it
        headers._fields = tuple(fields)
        return headers

    def get(self, name: str, default: str = "") -> str:
        """Return a field's value, or `default`.

        Of a field that comes more than once it is the first value where one is all there can be
        (`Authorization`, `Referer`, …), all joined by "; " of `Cookie`, and all joined by ", " of
        others: as Node.js has it, which knows no list of values either (`message.headers`).
        `get_all` returns each.
        """
        name = name.lower()
        values = [value for key, value in self._fields if key == name]
        if not values:
            return default
        first, *others = values
        return combine(name, values) if others else first

    def get_all(self, name: str) -> list[str]:
        """Return the values of all fields of that name."""
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


async def _no_body(limit: int) -> bytes:
    return b""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request; its body is read only when somebody asks for it.

    Attributes:
        method: such as "GET".
        target: the request-target as it came, query included.
        headers: the header fields.
        remote: the peer's address, `""` if the stream has none.
        secure: whether the stream is TLS.
        http_version: "1.0" or "1.1".
    """

    method: str
    target: str
    headers: Headers = field(default_factory=Headers)
    remote: str = ""
    secure: bool = False
    http_version: str = "1.1"
    _read_body: BodyReader = field(default=_no_body, repr=False, compare=False)

    @property
    def path(self) -> str:
        """The target up to the query."""
        return self.target.partition("?")[0]

    @property
    def query_string(self) -> str:
        """The target behind the first question mark."""
        return self.target.partition("?")[2]

    @property
    def wants_websocket(self) -> bool:
        """Whether this is a request to upgrade to WebSocket.

        Also one of HTTP/1.0, where RFC 9110, 7.8, would have the fields ignored: nginx sends those
        unless it is told otherwise, passes our 101 on, and the reference server accepts them.
        """
        protocols = self.headers.get_all("upgrade")
        return (
            bool(protocols)
            and has_element(protocols, "websocket")
            and has_element(self.headers.get_all("connection"), "upgrade")
        )

    @property
    def has_body(self) -> bool:
        """Whether a body has been announced, though it may turn out to be empty."""
        lengths = self.headers.get_all("content-length")
        return "transfer-encoding" in self.headers or any(one.strip("0, ") for one in lengths)

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


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP response; `Date`, and `Content-Length` where there is to be one, are added.

    An answer to HEAD may have the length that the answer to GET has: its body is not sent.

    Args:
        status: from 200 to 599.
        headers: names and values.
        body: none for 204, 205 and 304.

    Raises:
        TypeError, ValueError: it cannot be sent as it is; the sentence says which part.
    """

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def __post_init__(self) -> None:
        """Check it here, where the application sees by whom it was made."""
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
        """Return a response of one line of plain text.

        Args:
            status: from 200 to 599.
            sentence: the line, without a line feed.
            headers: further header fields.
            close: whether the connection ends with it.

        Raises:
            ValueError: it cannot be sent as it is.
        """
        fields = [("Content-Type", "text/plain; charset=utf-8"), *headers]
        if close:
            fields.append(("Connection", "close"))
        return cls(status, fields, f"{sentence}\n".encode("utf-8", "replace"))


class EngineResponse(Response):
    """A response of the engine's own, on a path where checks would be felt."""

    __slots__ = ()

    def __post_init__(self) -> None:
        """Check nothing."""


def sendable_fields(response: Response) -> list[tuple[str, str]]:
    """Return the header fields, without a length where none may be."""
    if response.status not in WITHOUT_BODY:
        return response.headers
    return [one for one in response.headers if one[0].lower() != "content-length"]
