"""One server of the demo takes over from another, with real clients on a real port."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import pytest
import trio

from trio_sio.demo.hall import Hall
from trio_sio.demo.hood.access import Access
from trio_sio.demo.hood.movers import NAMES, Mover, account
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.limits import Limits
from trio_sio.demo.succession import Succession
from trio_sio.testing import MemoryClient, connect

pytestmark = pytest.mark.slow

HERE = {"Host": "localhost"}


class Scene(NamedTuple):
    """A demo that serves, and where."""

    succession: Succession
    premises: Premises
    port: int

    def notes(self) -> list[str]:
        """What has been noted, the latest first."""
        return [str(row["text"]) for row in self.premises.notes.rows()]

    async def note(self, beginning: str) -> str:
        """Wait for a note."""
        while True:
            for text in self.notes():
                if text.startswith(beginning):
                    return text
            await trio.sleep(0.05)


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    premises = Premises(Hall(Limits()), Access("token", is_local=True))
    succession = Succession(premises)
    listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with trio.open_nursery() as nursery:
        await nursery.start(succession.serve, listeners)
        port = listeners[0].socket.getsockname()[1]
        yield Scene(succession, premises, port)
        succession.close()
    assert premises.hall.people == {}
    with pytest.raises(OSError, match="all attempts to connect"):  # nothing listens any more
        await trio.open_tcp_stream("127.0.0.1", port)


async def drain(page: MemoryClient) -> dict[str, Any]:
    (answer,) = await page.call("action", "Drain", {})
    return dict(answer)


async def test_a_drain_loses_no_message_and_tells_of_it() -> None:
    async with scene() as here:
        first = here.succession.demo
        async with connect(first.io, "/admin", headers=HERE) as page:
            answer = await drain(page)
            assert answer == {"done": "Server 2 takes over. The notes tell what happens."}
            again = await drain(page)
            assert again == {"error": "“Drain” is running; press again when it has ended."}
            await page.session.wait_closed()
            assert page.session.reason == "server shutting down"
        assert await here.note("Server 2 accepts")
        told = await here.note("Server 1 has closed its 4 clients within ")
        assert here.succession.demo is not first
        assert not first.io.engine.serving
        match = re.search(r"Server 2 has (\d+) now\. 3 clients said (\d+) messages", told)
        assert match, told
        assert int(match[2]) >= 6
        assert told.endswith(" 3 of them moved, and each has all of them.")
        # The next one shows what was noted before, and can be followed itself.
        async with connect(here.succession.demo.io, "/admin", headers=HERE) as page:
            _, hello = await page.receive()
            assert hello["title"] == "Under the hood: server 2"
            assert "Drain" in [action["label"] for action in hello["actions"]]
            _, state = await page.receive()
            assert state["notes"][0]["text"] == told


async def test_nothing_is_left_of_servers_that_have_ended() -> None:
    async with scene() as here:
        for number in range(2, 4):
            told = await here.succession.hand_over()
            assert told.startswith(f"Server {number - 1} has closed its 0 clients")
        assert len(here.succession.doors) == 1


async def test_it_ends_in_the_middle_of_a_drain() -> None:
    async with scene() as here:
        async with connect(here.succession.demo.io, "/admin", headers=HERE) as page:
            await drain(page)
            await here.note("Server 2 accepts")
    assert here.notes()[0] == "Server 2 accepts clients on the same port."


def test_what_is_missing_is_told() -> None:
    movers = [Mover(name, ("", 0)) for name in NAMES]
    for mover in movers:
        mover.said.append(f"{mover} was here")
        mover.heard.update(one.said[0] for one in movers if one.said)
    assert account(movers).endswith("0 of them moved, and 3 did not arrive.")
    for mover in movers:
        mover.heard.update(one.said[0] for one in movers)
    assert account(movers).endswith("and each has all of them.")
