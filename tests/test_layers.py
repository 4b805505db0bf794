"""Layers inside the engine and the router, and no circle of imports anywhere.

The files and folders of a room stand on shelves. One may import what stands on lower shelves and
what is in its own folder, never its neighbours on the same shelf. Imports for types count: types
are the design. `test_walls.py` holds the walls between the rooms.
"""

from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter

import pytest

from tools.source import Graph, Source, import_graph, read_package

# From top to bottom.
SHELVES = {
    "engine": [
        {"engine", "neighbour"},
        {"connections"},
        {"endpoint"},
        {"websocket/"},
        {"polling/"},
        {"hooks"},
        {"handshake"},
        {"session/", "http/"},
        {"admission", "proxies", "proxy_protocol", "refusal"},
        {"proxy_faults"},
        {"runtime/"},
    ],
    "router": [
        {"server_namespaces"},
        {"router", "drain"},
        {"client"},
        {"joining"},
        {"namespaces", "method_handlers", "pending_joins"},
        {"namespace", "lifecycle"},
        {"namespace_handlers"},
        {"socket"},
        {"traced", "addressee"},
        {"emitter", "dispatch", "backlog", "socket_handlers", "any_outgoing"},
        {"invocation", "acknowledgement", "background"},
        {"sender", "server_side"},
        {"namespace_base", "rate_limit", "inbound_limits", "dialect"},
        {"server_events"},
        {"remote_socket"},
        {"broadcast", "inbox", "acks", "context", "recovery"},
        {"room_calls", "many_sockets"},
        {"room_answers", "audience"},
        {"handlers", "handshake"},
        {"argument_check", "any_handlers"},
        {
            *("limits", "order", "departures", "adapter_life", "arity", "hints", "conversion"),
            "argument_types",
        },
    ],
}
# Whoever starts with the first never imports what starts with the second.
NEVER = [
    ("engine/session/", "engine/http/"),
    ("engine/http/", "engine/session/"),
    ("engine/http/", "protocol/engineio/"),
    ("engine/polling/", "engine/websocket/"),
    # Polling answers any responder: it knows of no socket.
    ("engine/polling/", "engine/http/connection"),
    ("engine/polling/", "engine/runtime/stream"),
    ("engine/endpoint", "engine/http/connection"),
    ("engine/websocket/", "engine/http/connection"),
    ("adapters/", "router/"),
    ("router/", "engine/"),
    ("engine/", "router/"),
]


@cache
def imports() -> Graph:
    """Return the imports of the package: no run that leaves these tests out has to parse it."""
    return import_graph(read_package())


def unit(name: str, room: str) -> str:
    """What stands on a shelf: a file without its ending, or a folder of the room."""
    folder, is_folder, _ = name.removeprefix(f"{room}/").partition("/")
    return f"{folder}/" if is_folder else folder.removesuffix(".py")


def shelf(name: str, room: str) -> int | None:
    """On which shelf a file of the room stands, counted from the top."""
    numbers = (number for number, units in enumerate(SHELVES[room]) if unit(name, room) in units)
    return next(numbers, None)


def upward(graph: Graph) -> Iterator[tuple[str, str]]:
    """Imports of what does not stand below: the file, and what it imports."""
    for here, imported in graph.items():
        room = here.partition("/")[0]
        if room not in SHELVES or shelf(here, room) is None:
            continue
        for other in sorted(imported):
            if other.startswith(f"{room}/") and unit(other, room) != unit(here, room):
                above, below = shelf(here, room), shelf(other, room)
                if above is None or below is None or above >= below:
                    yield here, other


def homeless(graph: Graph) -> Iterator[str]:
    """Which files of the rooms stand on no shelf."""
    for name in graph:
        room = name.partition("/")[0]
        if room in SHELVES and shelf(name, room) is None and not name.endswith("__init__.py"):
            yield name


def forbidden(graph: Graph) -> Iterator[tuple[str, str]]:
    """Imports that no file may have: the file, and what it imports."""
    for here, imported in graph.items():
        for other in sorted(imported):
            if any(here.startswith(one) and other.startswith(two) for one, two in NEVER):
                yield here, other


def test_files_import_downward_only() -> None:
    assert list(upward(imports())) == []


def test_what_is_never_imported() -> None:
    assert list(forbidden(imports())) == []


def test_every_file_has_a_shelf() -> None:
    assert list(homeless(imports())) == []


def test_no_circle() -> None:
    TopologicalSorter(imports()).prepare()  # raises a CycleError, which says who imports whom


# That all of this would be seen.

FOR_TYPES = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    "
TEXTS = {
    "engine/engine.py": "from trio_sio.engine.endpoint import Endpoint",
    "engine/endpoint.py": "from trio_sio.engine.http.h11 import Exchange",
    "engine/http/h11.py": "from trio_sio.engine.http import connection",
    "engine/http/connection.py": "",
    "engine/session/session.py": "",
    "router/joining.py": "",
    "router/socket.py": "",
    "router/lifecycle.py": "",
    "protocol/engineio/state.py": "",
    "adapters/redis.py": "",
}


def graph(**texts: str) -> Graph:
    """The imports of a package that is as it should be, but for some texts."""
    named = {name.replace("__", "/") + ".py": text for name, text in texts.items()}
    return import_graph({name: Source(name, text) for name, text in {**TEXTS, **named}.items()})


def test_the_checkers_let_pass_what_is_right() -> None:
    right = graph(router__lifecycle="import trio_sio.router.socket")
    assert list(upward(right)) == []
    assert list(forbidden(right)) == []
    TopologicalSorter(right).prepare()


@pytest.mark.parametrize(
    ("here", "text", "other"),
    [
        ("engine/endpoint.py", "import trio_sio.engine.engine", "engine/engine.py"),
        (
            "engine/http/h11.py",
            FOR_TYPES + "from trio_sio.engine.endpoint import Endpoint",
            "engine/endpoint.py",
        ),
        (
            "engine/session/session.py",
            "def f():\n    from trio_sio.engine.http import h11",
            "engine/http/h11.py",
        ),
        (
            "router/lifecycle.py",
            "from trio_sio.router import joining",
            "router/joining.py",
        ),
    ],
)
def test_the_checker_catches_an_import_upward(here: str, text: str, other: str) -> None:
    wrong = graph(**{here.removesuffix(".py").replace("/", "__"): text})
    assert list(upward(wrong)) == [(here, other)]


@pytest.mark.parametrize(
    ("here", "text", "other"),
    [
        (
            "engine/session/session.py",
            "from trio_sio.engine.http.h11 import Exchange",
            "engine/http/h11.py",
        ),
        (
            "engine/http/h11.py",
            "from trio_sio.protocol.engineio.state import State",
            "protocol/engineio/state.py",
        ),
        ("adapters/redis.py", "import trio_sio.router.socket", "router/socket.py"),
        (
            "engine/polling/endpoint.py",
            "from trio_sio.engine.http.connection import HTTPConnection",
            "engine/http/connection.py",
        ),
    ],
)
def test_the_checker_catches_what_is_never_imported(here: str, text: str, other: str) -> None:
    wrong = graph(**{here.removesuffix(".py").replace("/", "__"): text})
    assert list(forbidden(wrong)) == [(here, other)]


def test_the_checker_catches_a_file_without_a_shelf() -> None:
    assert list(homeless(graph(router__poetry="", router__deeper__socket=""))) == [
        *("router/poetry.py", "router/deeper/socket.py"),
    ]


@pytest.mark.parametrize("only_types", [False, True])
def test_the_checker_catches_a_circle(only_types: bool) -> None:
    text = "from trio_sio.engine.engine import Engine"
    if only_types:
        text = FOR_TYPES + text
    with pytest.raises(CycleError) as caught:
        TopologicalSorter(graph(engine__http__connection=text)).prepare()
    assert {*caught.value.args[1]} == {
        "engine/engine.py",
        "engine/endpoint.py",
        "engine/http/h11.py",
        "engine/http/connection.py",
    }
