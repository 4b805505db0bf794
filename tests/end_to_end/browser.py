"""Pages in a headless Chromium: the Python end of `tests/javascript/browser.js`.

A selector is what Playwright takes: CSS, `:has-text("…")` among it. Each verb waits until what it
is about is there.
"""

import shutil
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import trio

from tests.support.peers import DEADLINE, JAVASCRIPT, Client, Peer, peer


class Page:
    """One page."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def do(self, verb: str, *args: object) -> Any:  # noqa: ANN401
        """Tell the page to do something, wait until it is done, and return the result."""
        await self._client.order(verb, *args)
        outcome: list[tuple[str, list[Any]]] = []
        async with trio.open_nursery() as nursery:
            nursery.cancel_scope.deadline = trio.current_time() + DEADLINE
            for event in ("done", "failed"):
                nursery.start_soon(self._wait_for, event, outcome, nursery.cancel_scope)
        assert outcome, f"{verb} {args} got no answer"
        event, (result,) = outcome[0]
        assert event == "done", result
        return result

    async def _wait_for(
        self, event: str, outcome: list[tuple[str, list[Any]]], scope: trio.CancelScope
    ) -> None:
        outcome.append((event, await self._client.hear(event)))
        scope.cancel()

    async def wait(self, selector: str) -> None:
        await self.do("wait", selector)

    async def enter(self, selector: str, text: str) -> None:
        """Write into a field and press Enter."""
        await self.do("fill", selector, text)
        await self.do("press", selector, "Enter")

    async def text(self, selector: str) -> str:
        return str(await self.do("text", selector))

    async def complaints(self) -> list[str]:
        """What stood in the console, what was thrown, what was answered with an error."""
        return [str(complaint) for complaint in await self.do("complaints")]


class Browser:
    """A running Chromium."""

    def __init__(self, process: Peer) -> None:
        self._process = process

    async def open(self, url: str, **options: object) -> Page:
        """Open a page in a profile of its own.

        Args:
            url: its address.
            **options: of Playwright's `newContext`.
        """
        page = Page(self._process.add_client())
        await page.do("open", url, options)
        return page


@contextmanager
def shared_chromium() -> Iterator[str]:
    """A Chromium for several tests; gives its address for `chromium`."""
    pipe = subprocess.PIPE
    command = ("node", str(JAVASCRIPT / "browser_server.js"), _program())
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.communicate(timeout=DEADLINE)  # it ends with its input


@asynccontextmanager
async def chromium(address: str | None = None) -> AsyncIterator[Browser]:
    """A browser for one test.

    Args:
        address: of one that runs already, of which this test gets profiles of its own.
    """
    where = _program() if address is None else address
    async with peer(("node", str(JAVASCRIPT / "browser.js"), where)) as process:
        yield Browser(process)
        assert process.process.stdin is not None
        await process.process.stdin.aclose()  # it closes the browser, which has many processes
        with trio.move_on_after(10):
            await process.process.wait()


def _program() -> str:
    program = shutil.which("chromium")
    assert program is not None  # the marker has seen to it
    return program
