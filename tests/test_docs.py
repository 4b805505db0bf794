"""What the documentation shows is what happens: programs run, lines are those of the log."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import trio_sio
from tests.support.peers import served
from tests.support.raw import Raw, raw

ROOT = Path(__file__).parents[1]
DEBUGGING = (ROOT / "docs" / "debugging.md").read_text("utf-8")
DOCUMENTS = sorted((ROOT / "docs").glob("*.md"))


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_the_readme_leads_there_and_links_lead_somewhere(path: Path) -> None:
    assert f"](docs/{path.name})" in (ROOT / "README.md").read_text("utf-8")
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", path.read_text("utf-8"))
    assert [target for target in targets if not (path.parent / target).exists()] == []


def test_the_program_prints_what_is_shown() -> None:
    (program,) = (one for one in blocks(DEBUGGING, "python") if "trio.run" in one)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    expected = blocks(DEBUGGING, "text")[0]
    assert done.stderr == ""
    assert _without_the_id(done.stdout).splitlines() == _without_the_id(expected).splitlines()


def _without_the_id(text: str) -> str:
    return re.sub(r"memory-\d+", "memory-1", text)


def test_each_snippet_compiles() -> None:
    for program in blocks(DEBUGGING, "python"):
        compile(program, "debugging.md", "exec")


async def later_client(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=4&transport=polling")


async def wrong_path(wire: Raw) -> None:
    await wire.get("/chat/?EIO=3&transport=polling")


async def unwelcome_origin(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=3&transport=polling", {"Origin": "http://localhost:8080"})


async def unknown_session(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=3&transport=polling&sid=pMx0aBcDeF")


async def unknown_namespace(wire: Raw) -> None:
    websocket = await wire.joined()
    await websocket.send("40/caht,")
    assert await websocket.receive() == '44/caht,"Invalid namespace"'


async def too_large(wire: Raw) -> None:
    polling = await wire.polling()
    assert (await polling.post(b"x" * 2000))[0] == 413


@pytest.mark.parametrize(
    ("act", "options"),
    [
        (later_client, {}),
        (wrong_path, {}),
        (unwelcome_origin, {"origins": "http://shop.example"}),
        (unknown_session, {}),
        (unknown_namespace, {}),
        (too_large, {"max_http_buffer_size": 1000, "handshake_buffer_size": 1000}),
    ],
)
async def test_each_line_about_clients_that_do_not_connect_is_the_logs(
    act: object, options: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(**options)  # type: ignore[arg-type]  # by name
    io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        await act(wire)  # type: ignore[operator]  # one of those above
    (line,) = caplog.messages
    shown = re.sub(r"session [\w-]{6}…", "session pMx0aB…", line)
    lines = blocks(DEBUGGING.partition("## When it does not connect")[2], "text")
    assert f"{shown}\n" in lines
    assert len(lines) == 6
