"""Requests and answers by h11: all those that are not of the plainest form.

One object serves one connection, for one request after the other. It reads through functions that
it is given, and returns bytes to be written.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

import h11
import trio

from trio_sio.engine import date
from trio_sio.engine.message import BodyTooLarge, Response, sendable_fields
from trio_sio.engine.plain_http import phrase
from trio_sio.engine.response_check import WITHOUT_BODY
from trio_sio.logs.shown import words_of


class BadRequest(Exception):
    """What the client sent is no HTTP request.

    Attributes:
        status: of the answer.
        shown: what the log says of it, which quotes nothing of the request.
        option: the limit that it goes beyond, `""` if it is something else.
    """

    def __init__(self, text: str, status: int, option: str = "", shown: str = "") -> None:
        super().__init__(text)
        self.status = status
        self.shown = shown or text
        self.option = option


class Head(NamedTuple):
    """The head of a request.

    Attributes:
        method: such as "GET".
        target: the request-target.
        fields: names and values, as they came.
        version: "1.0" or "1.1".
        announced: bytes that the body is said to have; 0 if nothing is said.
    """

    method: str
    target: str
    fields: list[tuple[str, str]]
    version: str
    announced: int


class Exchange:
    """The requests and answers of one connection.

    Args:
        read: returns what the connection brings next, `b""` at its end.
        write: sends something at once; for `100 Continue`.
        max_header_size: bytes of a request's head.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[bytes]],
        write: Callable[[bytes], Awaitable[None]],
        max_header_size: int = 16 * 1024,
    ) -> None:
        self._h11 = h11.Connection(h11.SERVER, max_header_size)
        self._max_header_size = max_header_size
        self._read = read
        self._write = write
        self._is_head = False

    @property
    def is_answered(self) -> bool:
        """Whether the answer to the present request has been made."""
        return self._h11.our_state is not h11.SEND_RESPONSE

    @property
    def can_refuse(self) -> bool:
        """Whether an answer can be given though there was no whole request."""
        return self._h11.our_state in (h11.IDLE, h11.SEND_RESPONSE)

    @property
    def behind(self) -> bytes:
        """What has come behind the present request."""
        return bytes(self._h11.trailing_data[0])

    def receive(self, data: bytes) -> None:
        """Take what the connection has brought."""
        self._h11.receive_data(data)

    def go_on(self) -> bool:
        """Make ready for the next request; return whether there may be one."""
        if self._h11.our_state is not h11.DONE or self._h11.their_state is not h11.DONE:
            return False
        self._h11.start_next_cycle()
        return True

    async def next_head(self) -> Head | None:
        """Read the next head; `None` if the client is done.

        Raises:
            BadRequest: there is none.
        """
        self._is_head = False
        try:
            while True:
                event = self._h11.next_event()
                if event is h11.NEED_DATA:
                    self._h11.receive_data(await self._read())
                elif isinstance(event, h11.Request):
                    return self._head(event)
                else:
                    return None
        except h11.RemoteProtocolError as error:
            if error.error_status_hint == 431:  # h11's limit, which is ours
                raise self._too_large() from error
            status = error.error_status_hint
            raise BadRequest(str(error), status, shown=words_of(error)) from error

    def _too_large(self) -> BadRequest:
        text = f"a request's head may have {self._max_header_size} bytes"
        return BadRequest(f"{text} (max_header_size)", 431, "max_header_size")

    def _head(self, event: h11.Request) -> Head:
        self._is_head = event.method == b"HEAD"
        announced = 0
        has_body = False
        size = len(event.method) + len(event.target) + len("  HTTP/1.1\r\n\r\n")
        for name, value in event.headers:
            size += len(name) + len(value) + len(": \r\n")
            if name == b"content-length":
                announced = int(value)
            has_body = has_body or bool(announced) or name == b"transfer-encoding"
        if size > self._max_header_size:  # it came at once, so h11 has not looked at its size
            raise self._too_large()
        if not has_body:  # h11 has to hear that it is over, or it takes no answer
            self._h11.next_event()
        return Head(
            event.method.decode("ascii"),
            event.target.decode("latin-1"),
            [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()],
            event.http_version.decode("ascii"),
            announced,
        )

    async def read_body(self, limit: int) -> bytes:
        """Read the present request's body; raises `BodyTooLarge`, `BrokenResourceError`."""
        parts: list[bytes] = []
        size = 0
        while self._h11.their_state is h11.SEND_BODY:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as error:
                raise trio.BrokenResourceError(str(error)) from error
            if event is h11.NEED_DATA:
                await self._read_on()
            elif isinstance(event, h11.Data):
                parts.append(bytes(event.data))
                size += len(event.data)
                if size > limit:
                    raise BodyTooLarge(size, limit)
        return parts[0] if len(parts) == 1 else b"".join(parts)

    async def _read_on(self) -> None:
        if self._h11.they_are_waiting_for_100_continue:
            go_on = h11.InformationalResponse(status_code=100, headers=[])
            await self._write(self._h11.send(go_on) or b"")
        self._h11.receive_data(await self._read())

    def answer(self, response: Response) -> bytes:
        """Return the answer to the present request."""
        fields = sendable_fields(response)
        names = {name.lower() for name, _ in fields}
        # As Latin-1, as they came: a client's Origin is echoed, and may have such letters.
        headers = [(n.encode("latin-1"), v.encode("latin-1")) for n, v in fields]
        if "date" not in names:
            headers.insert(0, (b"Date", date.now().encode()))
        if response.status not in WITHOUT_BODY and "content-length" not in names:
            headers.append((b"Content-Length", b"%d" % len(response.body)))
        if self._h11.their_state is h11.SEND_BODY and "connection" not in names:
            # The body was never read: the rest of it cannot be told from the next request.
            headers.append((b"Connection", b"close"))
        reason = phrase(response.status).encode()
        head = h11.Response(status_code=response.status, headers=headers, reason=reason)
        data = self._h11.send(head) or b""
        if not self._is_head:
            data += self._h11.send(h11.Data(data=response.body)) or b""
        return data + (self._h11.send(h11.EndOfMessage()) or b"")
