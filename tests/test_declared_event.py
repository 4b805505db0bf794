"""Declared events: names when the program runs, types for mypy and pyright."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

import trio_sio
from trio_sio.testing import connect

ROOT = Path(__file__).parents[1]
MISTAKES = ROOT / "tests" / "types" / "mistakes.py"
RIGHT = ROOT / "tests" / "types" / "right.py"
PYRIGHT = ROOT / "tests" / "javascript" / "node_modules" / "pyright" / "index.js"

price = trio_sio.Event[float, str]("price")


@trio_sio.event
def message(author: str, text: str) -> None:
    """A line of the chat."""


@trio_sio.event(name="how many")
def count(item: str) -> int:
    raise NotImplementedError


def _marked() -> set[tuple[str, int]]:
    lines = MISTAKES.read_text("utf-8").splitlines()
    return {(MISTAKES.name, number) for number, line in enumerate(lines, 1) if "# WRONG" in line}


def test_mypy_finds_each_mistake_and_nothing_else() -> None:
    command = [sys.executable, "-m", "mypy", "--no-pretty", str(MISTAKES), str(RIGHT)]
    output = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
    found = re.findall(r"(\w+\.py):(\d+): error", output)
    assert {(name, int(line)) for name, line in found} == _marked(), output


@pytest.mark.node
def test_pyright_finds_each_mistake_and_nothing_else() -> None:
    command = ["node", str(PYRIGHT), "--pythonpath", sys.executable, "--outputjson"]
    output = subprocess.run(
        [*command, str(MISTAKES), str(RIGHT)], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout
    found = json.loads(output)["generalDiagnostics"]
    lines = {(Path(one["file"]).name, one["range"]["start"]["line"] + 1) for one in found}
    assert lines == _marked(), output


def test_the_guide_lists_each_mistake_with_its_line() -> None:
    lines = MISTAKES.read_text("utf-8").splitlines()
    wanted = []
    for number, line in enumerate(lines, 1):
        code, is_wrong, why = line.strip().partition("  # WRONG: ")
        if is_wrong:
            wanted.append(f"| {number} | `{code}` | {why} |")
    guide = (ROOT / "docs" / "guide" / "types.md").read_text("utf-8")
    assert re.findall(r"^\| \d+ \| `.*$", guide, re.MULTILINE) == wanted
    assert len(wanted) == len(_marked())


def test_an_event_is_its_name() -> None:
    assert [str(price), str(message), str(count)] == ["price", "message", "how many"]
    assert repr(price) == "<Event 'price'>"
    assert message.description == "A line of the chat."


def test_an_event_needs_a_name() -> None:
    with pytest.raises(TypeError, match="needs a function with a name"):
        trio_sio.event(object())  # type: ignore[call-overload]


@pytest.mark.parametrize("parser", [None, "msgpack"])
async def test_events_go_both_ways_by_their_names(
    parser: Literal["msgpack"] | None,
) -> None:
    io = trio_sio.Server(parser=parser)

    @io.on(price)
    async def quote(socket: trio_sio.Socket, item: str) -> float:
        await socket.emit(message, "ann", item)
        await io.emit(message, "bob", item)
        return 1.5

    async with connect(io) as client:
        assert await client.call(price, "apple") == [1.5]
        assert await client.receive() == ["message", "ann", "apple"]
        assert await client.receive() == ["message", "bob", "apple"]


def test_handlers_are_found_and_removed_by_event_and_by_name() -> None:
    io = trio_sio.Server()

    def quote(socket: trio_sio.Socket, item: str) -> float:
        return 1.5

    io.on(price, quote)
    assert [type(name) for name in io.event_names()] == [str]
    io.remove_listener("price", quote)
    assert io.event_names() == []
    io.once(price, quote)
    io.remove_all_listeners("price")
    assert io.event_names() == []
