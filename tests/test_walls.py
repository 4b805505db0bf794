"""What each room may not touch. Reads the source and imports nothing of ours.

The rooms are storeys: a room looks down, never up and never to its side. Each foreign library
has one door, one file that imports it, or one folder.
"""

import ast
import sys
from collections.abc import Iterator

import pytest

from tools.source import PACKAGE, imported_names

STOREY = {
    "disconnect": 0,
    "declared_event": 0,
    "sync": 0,
    "channel": 1,
    "statistics": 1,
    "browser_client": 0,
    "protocol": 1,
    "recovery": 2,
    "exceptions": 2,
    "http": 2,
    "logs": 2,
    "failures": 3,
    "abc": 3,
    "static_files": 3,
    "options": 4,
    "engine": 5,
    "router": 5,
    "adapters": 5,
    "emitter": 6,
    "server": 6,
    "admin": 7,
    "program": 7,
    "metrics": 7,
    "tracing": 7,
    "workers": 7,
    "testing": 7,
    "asgi": 7,
    "contract": 7,
    "conformance": 8,
    "demo": 8,
    "__main__": 9,
}
# These have no loop: everybody else may use Trio.
WITHOUT_TRIO = {
    *(
        "browser_client",
        "disconnect",
        "declared_event",
        "http",
        "options",
        "protocol",
        "recovery",
        "statistics",
    ),
}
# These use the package as its users do.
USERS = {"demo", "__main__"}
DOORS = {
    "options/declaration.py": "attrs",
    "emitter/sync_emitter.py": "redis",
    "engine/http/h11.py": "h11",
    "router/conversion.py": "msgspec",
    "asgi/websocket.py": "wsproto",
    "asgi/deflate.py": "wsproto",
    "metrics/collector.py": "prometheus_client",
    "tracing/tracer.py": "opentelemetry",
    "router/handlers.py": "typing_extensions",  # for type checkers alone, which bring it
    "engine/websocket/backends/trio_websocket.py": "trio_websocket",
    "engine/websocket/backends/websockets.py": "websockets",
    "protocol/socketio/notepack.py": "msgpack",
    "testing/pytest_plugin.py": "pytest",
    "testing/strategies/": "hypothesis",  # each of its files
    "testing/machines/": "hypothesis",  # all files of the folder
    "conformance/conversations.py": "hypothesis",
}
# Of the standard library. Time enters the protocol as a number, chance as an argument.
FORBIDDEN = {
    "protocol": {
        *("asyncio", "logging", "random", "secrets", "selectors", "socket", "ssl", "threading"),
        *("time", "uuid"),
    },
    "router": {"http", "socket", "ssl"},  # it never sees HTTP or WebSocket
}


def problems(here: str, source: str) -> Iterator[str]:
    """What `source` does at the path `here` that this path may not."""
    room = here.split("/")[0].removesuffix(".py")
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            yield "relative import: write it in full"
    for name in imported_names(tree):
        if name.split(".")[0] == "trio_sio":
            yield from _look_at_ours(room, name)
        else:
            yield from _look_at_foreign(here, room, name)
    if any("spawn_system_task" in names for names in map(_names, ast.walk(tree))):
        yield "a task outside every nursery"


def _look_at_ours(room: str, name: str) -> Iterator[str]:
    _, _, rest = name.partition(".")
    other = rest.split(".")[0]
    if other not in STOREY:
        if room not in USERS and room != "__init__":
            yield f"{name} from the front: rooms import each other by their full names"
    elif room not in (other, "__init__"):
        if STOREY[other] >= STOREY[room]:
            yield f"{room} may not look at {other}"
        if any(part.startswith("_") and part != "__main__" for part in rest.split(".")):
            yield f"{name} is private to {other}"


def _look_at_foreign(here: str, room: str, name: str) -> Iterator[str]:
    top = name.split(".")[0]
    if top in sys.stdlib_module_names:
        if top in FORBIDDEN.get(room, ()) or top == "asyncio":
            yield f"{room} may not use {top}"
    elif top == "trio":
        if room in WITHOUT_TRIO:
            yield f"{room} may not use trio"
    elif top not in (DOORS.get(here), DOORS.get(f"{here.rpartition('/')[0]}/")):
        yield f"{top} has a door elsewhere"


def _names(node: ast.AST) -> tuple[str, ...]:
    match node:
        case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name):
            return (name,)
    return ()


FILES = sorted(path.relative_to(PACKAGE).as_posix() for path in PACKAGE.rglob("*.py"))


@pytest.mark.parametrize("here", FILES)
def test_file_keeps_the_walls(here: str) -> None:
    assert list(problems(here, (PACKAGE / here).read_text("utf-8"))) == []


def test_every_file_has_a_room() -> None:
    rooms = {here.split("/")[0].removesuffix(".py") for here in FILES}
    assert rooms <= {*STOREY, "__init__"}


def test_every_door_is_a_file() -> None:
    folders = {f"{here.rpartition('/')[0]}/" for here in FILES}
    assert [door for door in DOORS if door not in {*FILES, *folders}] == []


ALLOWED = [
    ("protocol/websocket/frame.py", "import struct"),
    ("protocol/websocket/frame.py", "from trio_sio.protocol.errors import ProtocolError"),
    ("protocol/websocket/frame.py", "from trio_sio.disconnect import DisconnectReason"),
    ("engine/http/h11.py", "import h11, trio"),
    ("engine/engine.py", "import time, socket, ssl, logging"),
    ("engine/engine.py", "from trio_sio.abc import Session"),
    ("engine/engine.py", "from trio_sio import browser_client"),
    ("engine/session/session.py", "from trio_sio.engine.session.outbox import _private"),
    (
        "engine/websocket/backends/trio_websocket.py",
        "from trio_websocket import wrap_server_stream",
    ),
    ("engine/websocket/backends/websockets.py", "import websockets.frames"),
    ("testing/strategies/values.py", "from hypothesis import strategies as st"),
    ("testing/machines/acks.py", "from hypothesis.stateful import rule"),
    ("testing/client.py", "from trio_sio.server import Server"),
    ("conformance/conversations.py", "from hypothesis import given"),
    ("conformance/client.py", "from trio_sio.testing.wire import PacketText"),
    ("server.py", "from trio_sio.router.router import Router"),
    ("demo/page.py", "import trio_sio"),
    ("demo/page.py", "from trio_sio import Server"),
    ("__main__.py", "from trio_sio.demo.application import Demo"),
    ("__init__.py", "from trio_sio.server import Server as Server"),
    ("engine/engine.py", "trio.lowlevel.checkpoint()"),
]
REFUSED = [
    ("protocol/websocket/frame.py", "import trio", "protocol may not use trio"),
    ("options/engine.py", "from trio.abc import Stream", "options may not use trio"),
    ("browser_client.py", "import trio", "browser_client may not use trio"),
    ("protocol/websocket/frame.py", "from time import monotonic", "protocol may not use time"),
    ("protocol/websocket/frame.py", "import logging", "protocol may not use logging"),
    ("protocol/websocket/frame.py", "def f():\n    import random", "protocol may not use random"),
    ("protocol/websocket/frame.py", "import h11", "h11 has a door elsewhere"),
    (
        "protocol/websocket/frame.py",
        "from trio_sio.abc import Session",
        "protocol may not look at abc",
    ),
    ("options/engine.py", "import trio_sio.engine.engine", "options may not look at engine"),
    ("engine/engine.py", "import asyncio", "engine may not use asyncio"),
    ("engine/engine.py", "import h11", "h11 has a door elsewhere"),
    ("engine/http/h11.py", "import httptools", "httptools has a door elsewhere"),
    ("engine/websocket/backends/websockets.py", "import wsproto", "wsproto has a door elsewhere"),
    (
        "engine/websocket/backends/websockets.py",
        "import trio_websocket",
        "trio_websocket has a door",
    ),
    ("engine/session/session.py", "import trio_sio.router.client", "engine may not look at router"),
    ("engine/session/session.py", "from trio_sio import router", "engine may not look at router"),
    ("engine/session/session.py", "from trio_sio.server import X", "engine may not look at server"),
    ("engine/session/session.py", "from trio_sio import Server", "from the front"),
    ("engine/session/session.py", "import trio_sio", "from the front"),
    ("router/client.py", "from trio_sio.engine.http.h11 import Request", "may not look at engine"),
    ("router/client.py", "import ssl", "router may not use ssl"),
    ("adapters/redis.py", "from trio_sio.router import x", "adapters may not look at router"),
    ("server.py", "import trio_sio.testing", "server may not look at testing"),
    ("server.py", "if TYPE_CHECKING:\n    from trio_sio.demo import x", "may not look at demo"),
    ("testing/client.py", "from hypothesis import given", "hypothesis has a door elsewhere"),
    ("testing/client.py", "import pytest", "pytest has a door elsewhere"),
    ("testing/strategies/values.py", "import pytest", "pytest has a door elsewhere"),
    ("testing/machines/acks.py", "import pytest", "pytest has a door elsewhere"),
    ("testing/machines.py", "from hypothesis import given", "hypothesis has a door elsewhere"),
    ("conformance/client.py", "from hypothesis import given", "hypothesis has a door elsewhere"),
    ("testing/wire.py", "import trio_sio.conformance", "testing may not look at conformance"),
    ("testing/wire.py", "from trio_sio.engine.http.h11 import _Connection", "is private to engine"),
    ("testing/wire.py", "from trio_sio.engine._http import X", "is private to engine"),
    ("engine/session/session.py", "from .outbox import Outbox", "relative import"),
    ("engine/session/session.py", "from . import outbox", "relative import"),
    ("engine/session/session.py", "trio.lowlevel.spawn_system_task(f)", "outside every nursery"),
    (
        "engine/session/session.py",
        "from trio.lowlevel import spawn_system_task",
        "outside every nursery",
    ),
]


@pytest.mark.parametrize(("here", "source"), ALLOWED)
def test_the_checker_lets_pass(here: str, source: str) -> None:
    assert list(problems(here, source)) == []


@pytest.mark.parametrize(("here", "source", "expected"), REFUSED)
def test_the_checker_catches(here: str, source: str, expected: str) -> None:
    (problem,) = problems(here, source)
    assert expected in problem
