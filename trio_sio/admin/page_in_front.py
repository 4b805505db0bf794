"""The page of the view in front of a web application, which gets all other paths."""

from collections.abc import Callable

import trio

from trio_sio.abc import WebApplication, WebReply
from trio_sio.http import Request, Response


class PageInFront:
    """A `WebApplication` of two: what the page does not answer, the application does.

    Args:
        page: returns its answer, `None` for a path of the application's.
        application: the application, which lives as long as it would alone.
    """

    def __init__(
        self, page: Callable[[Request], Response | None], application: WebApplication
    ) -> None:
        self._page = page
        self._application = application

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Run the application."""
        await self._application.run(task_status=task_status)

    async def answer(self, request: Request, reply: WebReply) -> None:
        """Answer with a file of the page, or have the application answer."""
        found = self._page(request)
        if found is None:
            await self._application.answer(request, reply)
        else:
            await reply.send(found)

    def close(self) -> None:
        """Tell the application that the server closes."""
        self._application.close()
