"""One program on three servers: the same clients see the same, whichever they talk to."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio

from tests.support.peers import DEADLINE, JAVASCRIPT, UPGRADING, WEBSOCKET, Kind, peer
from tests.support.proxies import free_port

pytestmark = [pytest.mark.slow, pytest.mark.node]

PORTED = Path(__file__).parents[1] / "examples" / "ported"
PROGRAMS = {
    "chat.py": sys.executable,
    "chat.js": "node",
    "chat_python_socketio.py": sys.executable,
}


@asynccontextmanager
async def served(name: str) -> AsyncIterator[str]:
    """The URL of a program that runs on a port of its own."""
    port = free_port()
    environment = {"PORT": str(port), "NODE_PATH": str(JAVASCRIPT / "node_modules")}
    run_process = partial(
        trio.run_process,
        [PROGRAMS[name], str(PORTED / name)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
        env={**os.environ, **environment},
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        await _wait_listening(process, port)
        yield f"http://127.0.0.1:{port}"
        process.kill()


async def _wait_listening(process: trio.Process, port: int) -> None:
    with trio.fail_after(DEADLINE):
        while True:
            try:
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
            except OSError:
                assert process.poll() is None, "the program has ended"
                await trio.sleep(0.05)
            else:
                return


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        *((name, kind) for name in ("chat.py", "chat.js") for kind in (UPGRADING, WEBSOCKET)),
        # In threads, python-socketio has no WebSocket without another library.
        pytest.param("chat_python_socketio.py", UPGRADING, marks=pytest.mark.python_socketio),
    ],
    ids=str,
)
async def test_a_ported_program(name: str, kind: Kind) -> None:
    hear = ["reminder", "came", "said", "went"]
    async with served(name) as url, peer(kind.command) as process:
        nobody = await process.open(url, **kind.options, reconnection=False)
        if name == "chat_python_socketio.py":
            assert await nobody.hear("connect_error")  # the handshake gets a 401, without a reason
        else:
            assert await nobody.hear("error") == ["who are you?"]

        anna, ben, carl = [
            await process.connect(
                f"{url}?name={who}",
                hear=[*hear, "ping me"],
                answers={"ping me": []},
                **kind.options,
            )
            for who in ("Anna", "Ben", "Carl")
        ]
        assert await anna.hear("reminder") == ["be", "kind"]

        assert await anna.call("enter", "kitchen") == [{"room": "kitchen"}]
        assert await carl.call("enter", "garden") == [{"room": "garden"}]
        assert await ben.call("enter", "kitchen") == [{"room": "kitchen"}]
        assert await anna.hear("came") == ["Ben"]

        await ben.emit("say", "größer \U0001f600")
        assert await anna.hear("said") == await ben.hear("said") == ["Ben", "größer \U0001f600"]
        (seconds,) = await anna.call("measure")
        assert isinstance(seconds, int | float)

        assert await ben.call("enter", "garden") == [{"room": "garden"}]
        assert await carl.hear("came") == ["Ben"]
        await ben.close()
        assert await carl.hear("went") == ["Ben"]
        assert carl.unheard("said") == anna.unheard("went") == 0
