"""A web application beside the server, as option `fallback` accepts one.

It gets the requests for all paths that are not the server's. An async function from `Request` to
`Response` is enough for most; what implements `WebApplication` besides has a life as long as the
server's, sends while it makes what it sends, and can take connections over.
"""

from typing import Protocol, runtime_checkable

import trio

from trio_sio.http import Request, Response


class ResponseBody(Protocol):
    """The body of a response that has been begun."""

    async def write(self, data: bytes) -> None:
        """Send a piece; waits as long as the client takes nothing.

        Raises:
            ValueError: the body becomes longer than the response's Content-Length.
            trio.BrokenResourceError: the client left, or took nothing for `answer_timeout`.
        """

    async def finish(self) -> None:
        """Send what ends the body. Without that, the connection is cut.

        Raises:
            ValueError: the body is shorter than the response's Content-Length.
            trio.BrokenResourceError: as `write`.
        """


class WebStream(Protocol):
    """A connection that was taken over; it is closed once `WebApplication.answer` returns."""

    async def read(self) -> bytes:
        """Return some bytes, `b""` at the end."""

    async def write(self, data: bytes) -> None:
        """Send all of the bytes."""


class WebReply(Protocol):
    """Answers one request."""

    @property
    def is_answered(self) -> bool:
        """Whether the response has been sent, or has begun to be."""

    async def send(self, response: Response) -> None:
        """Send a whole response.

        Raises:
            trio.BrokenResourceError: the client left, or did not take it within `answer_timeout`.
        """

    async def begin(self, response: Response) -> ResponseBody:
        """Send the head of a response, whose own body is not used; raises as `send`."""

    async def wait_hung_up(self) -> None:
        """Return when the client has left; not while the request's body is being read."""

    def take_over(self) -> WebStream:
        """Return the connection, which speaks no HTTP from now on."""


@runtime_checkable
class WebApplication(Protocol):
    """An application that gets the requests for other paths."""

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Live as long as the server serves.

        No client is served before `task_status.started()`. It is cancelled at the end, when
        requests have been answered, and may take a limited time to clean up.

        Raises:
            Exception: the application cannot start, or ended: so does the server.
        """

    async def answer(self, request: Request, reply: WebReply) -> None:
        """Answer one request; return without an answer if the client has left.

        Raises:
            BodyError: the client's fault; it is told, as far as nothing has been sent.
            Exception: a failure, which is logged; the client gets 500, or is cut off.
        """

    def close(self) -> None:
        """Learn that the server closes: what never ends by itself has to, within `grace`."""
