"""The start and the end of an application, around those of the server."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import Receive, Scope, Send


class App:
    """Knows lifespan.

    Attributes:
        told: what it was told, in its order.
        reply: what it answers to its startup.
    """

    def __init__(self, reply: str = "complete", **more: Any) -> None:  # noqa: ANN401
        self.told: list[str] = []
        self.reply = {"type": f"lifespan.startup.{reply}", **more}
        self.shuts_down = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert scope["type"] == "lifespan"
        self.told.append((await receive())["type"])
        await send(self.reply)
        self.told.append((await receive())["type"])
        await trio.sleep(1 if self.shuts_down else 1000)
        self.told.append("cleaned up")
        await send({"type": "lifespan.shutdown.complete"})


BOTH = ["lifespan.startup", "lifespan.shutdown", "cleaned up"]


async def test_it_starts_before_and_ends_after_each_time(autojump_clock: MockClock) -> None:
    app = App()
    engine = trio_sio.Engine(fallback=Fallback(app))
    for _ in range(2):
        async with engine:
            assert app.told[-1] == "lifespan.startup"
    assert app.told == BOTH * 2


async def test_it_ends_when_the_server_is_cancelled(autojump_clock: MockClock) -> None:
    app = App()
    with trio.move_on_after(1):
        async with trio_sio.Engine(fallback=Fallback(app)):
            await trio.sleep_forever()
    assert app.told == BOTH


async def test_it_has_shutdown_timeout(
    autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()
    app.shuts_down = False
    async with trio_sio.Engine(fallback=Fallback(app, shutdown_timeout=3)):
        began = trio.current_time()
    assert trio.current_time() - began == pytest.approx(3)
    assert "did not shut down within 3 s" in caplog.text


@pytest.mark.parametrize("mode", ["auto", "on"])
async def test_one_that_does_not_start_ends_serving(mode: Any, autojump_clock: MockClock) -> None:  # noqa: ANN401
    app = App("failed", message="no database")
    fallback = Fallback(app, lifespan=mode)
    with pytest.raises(RuntimeError, match="did not start: no database"):
        async with trio_sio.Engine(fallback=fallback):
            raise AssertionError("it serves")


async def _knows_http_alone(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] != "http":
        raise NotImplementedError(scope["type"])


async def test_one_that_does_not_know_it(autojump_clock: MockClock) -> None:
    async with trio_sio.Engine(fallback=Fallback(_knows_http_alone)):
        pass
    with pytest.raises(RuntimeError, match="NotImplementedError"):
        async with trio_sio.Engine(fallback=Fallback(_knows_http_alone, lifespan="on")):
            raise AssertionError("it serves")


async def test_off_asks_nothing(autojump_clock: MockClock) -> None:
    app = App()
    async with trio_sio.Engine(fallback=Fallback(app, lifespan="off")):
        assert app.told == []
