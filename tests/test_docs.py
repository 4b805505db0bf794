"""What the README and the documentation say is true: programs run, links lead somewhere, defaults
are those of the code, and lines of the log are the log's."""

import importlib
import inspect
import json
import re
import shlex
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator

import pytest
import redis

import trio_sio
from docs import reference
from docs.hooks import loaded_from_elsewhere, on_page_markdown
from docs.programs import QUOTED, ROOT, fill, pages
from tests import test_api_table
from tests.support.peers import MODERN, served
from tests.support.raw import Raw, raw
from tests.support.redis_server import RedisServer, redis_server as redis_server
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.adapters.redis.options import RedisOptions
from trio_sio.emitter import RedisEmitter, SyncRedisEmitter
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.options import ServerOptions
from trio_sio.testing import connect

README = (ROOT / "README.md").read_text("utf-8")
DEPLOYMENT = (ROOT / "docs" / "deployment.md").read_text("utf-8")
CLUSTER = (ROOT / "docs" / "cluster.md").read_text("utf-8")
DEBUGGING = (ROOT / "docs" / "debugging.md").read_text("utf-8")
PERFORMANCE = (ROOT / "docs" / "performance.md").read_text("utf-8")
OPTIONS = {
    name: getattr(kind(), name)
    for kind in (RedisOptions, ServerOptions)  # the server's `connect_timeout` is the one meant
    for name in kind.declarations()
}

PAGES = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in pages()}
each_page = pytest.mark.parametrize("name", PAGES)


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def prose(text: str) -> str:
    """A page without its blocks of code."""
    return re.sub(r"^ *```.*?^ *```$", "", text, flags=re.MULTILINE | re.DOTALL)


# -- programs --------------------------------------------------------------------------------------


def test_programs_are_those_of_the_examples() -> None:
    quoted = [match for text in PAGES.values() for match in QUOTED.finditer(text)]
    assert quoted
    for match in quoted:
        assert match[3] == (ROOT / match[1]).read_text("utf-8"), "`python3 -m docs programs`?"


def test_every_example_is_shown() -> None:
    shown = {match[1] for text in PAGES.values() for match in QUOTED.finditer(text)}
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").rglob("*.*")}
    kinds = (".py", ".js", ".html", ".conf", ".cfg", ".ini")
    there = {name for name in there if name.endswith(kinds)}
    assert {name for name in shown if name.endswith(kinds)} == there - {"examples/demo.py"}


def own_programs() -> Iterator[tuple[str, str, str]]:
    """Each program that stands in a page alone, with the output that is shown behind it."""
    for name, text in PAGES.items():
        rest = QUOTED.sub("", text)
        for part in re.split(r"^```python\n", rest, flags=re.MULTILINE)[1:]:
            program, _, behind = part.partition("\n```\n")
            shown = blocks(behind, "text") if "print" in program or "stdout" in program else []
            yield name, f"{program}\n", shown[0] if shown else ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("program", "shown"), [pytest.param(*rest, id=name) for name, *rest in own_programs()]
)
def test_other_programs_print_what_is_shown(program: str, shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, check=True
    )
    assert done.stderr == ""
    assert _without_the_id(done.stdout).splitlines() == _without_the_id(shown).splitlines()


def _without_the_id(text: str) -> str:
    return re.sub(r"memory-\d+", "memory-1", text)


@each_page
def test_no_program_of_another_language_stands_alone(name: str) -> None:
    """They are run as the examples that they belong to."""
    rest = QUOTED.sub("", PAGES[name])
    assert [language for language in ("html", "js", "javascript") if blocks(rest, language)] == []


def test_programs_are_copied_into_the_pages() -> None:
    page = "a\n<!-- examples/rooms.py -->\n```python\nold\n```\nb\n"
    filled = fill(page)
    assert (ROOT / "examples" / "rooms.py").read_text("utf-8") in filled
    assert filled.startswith("a\n<!-- examples/rooms.py -->\n```python\n")
    assert filled.endswith("\n```\nb\n")
    assert fill(filled) == filled


# -- links and commands ----------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    headings = re.findall(r"^#+ (.*)$", prose(text), re.MULTILINE)
    plain = [re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings]
    return {re.sub(r"[ -]+", "-", heading.strip()) for heading in plain}


@each_page
def test_links_lead_somewhere(name: str) -> None:
    folder = (ROOT / name).parent
    targets = re.findall(r"\]\((?!https?:)([^)]+)\)", prose(PAGES[name]))
    for target in targets:
        file, _, anchor = target.partition("#")
        path = folder / file if file else ROOT / name
        assert path.exists(), target
        if anchor:
            assert anchor in anchors(path.read_text("utf-8")), target


def test_the_readme_leads_to_the_documentation() -> None:
    targets = set(re.findall(r"\]\((docs/[^)#]+\.md)\)", README))
    below_others = {name for name in PAGES if name.startswith(("docs/api/", "docs/testing/"))}
    below_others = below_others - {"docs/api/index.md", "docs/testing/index.md"} | {"docs/index.md"}
    assert targets == {name for name in PAGES if name.startswith("docs/")} - below_others


@each_page
def test_commands_name_modules_that_exist(name: str) -> None:
    for module in re.findall(r"python3? -m ([\w.]+)", PAGES[name]):
        if module in ("venv", "pip", "pytest", "perf"):
            continue
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists(), module


def test_the_readme_names_the_commands() -> None:
    modules = set(re.findall(r"python3 -m ([\w.]+)", README))
    assert {"examples.demo", "tests", "benchmarks", "docs"} <= modules


@each_page
def test_files_that_are_named_exist(name: str) -> None:
    roots = "tests|benchmarks|docs|examples|fuzz|trio_sio"
    for path in re.findall(rf"`((?:{roots})/[\w./]+)(?:::\w+)?`", prose(PAGES[name])):
        assert (ROOT / path).exists(), path


def test_files_of_the_architecture_exist() -> None:
    text = PAGES["docs/architecture.md"]
    named = set(re.findall(r"`([\w.]+(?:/[\w.]*)+|[\w]+\.py)`", prose(text)))
    assert len(named) > 30
    assert {
        path for path in named if not any((ROOT / top / path).exists() for top in ("trio_sio", ""))
    } == set()


def test_each_place_to_look_at_has_what_is_looked_for() -> None:
    table = PAGES["docs/architecture.md"].partition("## Where to look")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| .+ \| `(\S+)` \| `(.+)` \|$", table, re.MULTILINE)
    assert len(rows) == 23
    for path, text in rows:
        assert text in (ROOT / "trio_sio" / path).read_text("utf-8"), path


def test_the_site_lists_every_file_of_the_package() -> None:
    text = on_page_markdown(PAGES["docs/architecture.md"])
    for path in (ROOT / "trio_sio").rglob("*.py"):
        folder = path.parent.relative_to(ROOT).as_posix()
        assert f"\n### {folder}\n" in text
        if path.name != "__init__.py":
            assert re.search(rf"^\| `{path.name}` \| \S.* \|$", text, re.MULTILINE), path


def test_what_a_browser_would_load_from_elsewhere_is_found() -> None:
    assert loaded_from_elsewhere('<script src="https://cdn.example/a.js"></script>')
    assert loaded_from_elsewhere("<img alt='' src='//cdn.example/a.png'>")
    assert loaded_from_elsewhere('<link href="https://fonts.example/css" rel="stylesheet">')
    assert loaded_from_elsewhere('<link rel="stylesheet" href="https://fonts.example/css">')
    assert not loaded_from_elsewhere('<a href="https://trio.readthedocs.io">Trio</a>')
    assert not loaded_from_elsewhere('<script src="assets/a.js"></script><img src="b.png">')


# -- numbers ---------------------------------------------------------------------------------------


def test_the_readme_is_short() -> None:
    assert len(README.encode()) <= 10_000


def test_each_number_of_the_readme_was_measured_by_a_command() -> None:
    why = README.partition("## Why this one\n")[2].partition("\n![")[0]
    sentences = [text.replace("\n", " ") for text in re.split(r"\n(?=\* )|\n\n", why.strip())]
    assert len(sentences) > 5
    for sentence in sentences:
        (command,) = re.findall(r"`(python3 -m [^`]+)`", sentence)
        assert f"`{command}" in PERFORMANCE, command
        numbers = re.findall(r"([\d,.]*\d) (?:µs|KiB|MiB|MB|ms|clients|states|hostile)", sentence)
        assert numbers, sentence
        for number in numbers:
            assert re.search(rf"(?<![\d.,]){re.escape(number)}(?![\d]|[.,]\d)", PERFORMANCE), number


@pytest.mark.parametrize("name", [name for name in PAGES if name != "docs/performance.md"])
def test_each_price_was_measured_by_a_command_that_is_named(name: str) -> None:
    for paragraph in prose(PAGES[name]).split("\n\n"):
        for number in re.findall(r"([\d,.]*\d) µs", paragraph):
            assert "python3 -m benchmarks" in paragraph
            assert f" {number} (" in PERFORMANCE, number


def test_the_clients_that_work_are_those_of_the_tests() -> None:
    packages = json.loads((ROOT / "tests" / "javascript" / "package.json").read_text("utf-8"))
    for name in ("socket.io-client", "engine.io-client"):
        major, minor, _ = packages["devDependencies"][name].split(".")
        assert f"| {name} {major}.{minor} " in README
    versions = re.findall(
        r"python-socketio\[client\]==((\d+\.\d+)\.\d+)",
        (ROOT / "pyproject.toml").read_text("utf-8"),
    )
    clients = PAGES["docs/clients.md"]
    assert len(versions) == 2
    for version, minor in versions:
        assert f"| python-socketio {minor} " in README
        assert f"| {version} |" in clients
    later = [packages["devDependencies"][f"socket.io-client-{name}"] for name in MODERN]
    for version in (package.rpartition("@")[2] for package in later):
        assert version in clients
        assert version.rpartition(".")[0] in README


def test_the_turns_of_readers_are_those_of_the_code() -> None:
    assert (FIRST_QUANTUM, QUANTUM) == (2, 8)
    events = PAGES["docs/guide/events.md"].replace("\n", " ")
    assert "two packets for each client at first and then eight at a time" in events


def test_each_table_of_figures_names_its_command() -> None:
    sections = re.split(r"^## ", PERFORMANCE, flags=re.MULTILINE)[1:]
    assert sum("| ---" in section for section in sections) >= 3
    for section in sections:
        if "| ---" in section:
            assert re.search(r"`python3 -m benchmarks[^`]*`", section), section[:40]


@each_page
def test_defaults_in_the_text_are_those_of_the_code(name: str) -> None:
    units = {"": 1, "s": 1, "KiB": 2**10, "MiB": 2**20}
    found = re.findall(r"`(\w+)` \(([\d,.]*\d)(?: (s|KiB|MiB))?\)", prose(PAGES[name]))
    for option, number, unit in found:
        if option in OPTIONS:
            assert float(number.replace(",", "")) * units[unit] == OPTIONS[option], option


# -- clusters -------------------------------------------------------------------------------------


@pytest.fixture
def guarded_redis(redis_server: RedisServer) -> RedisServer:
    """A Redis with the users that the page makes, and no others."""
    (commands,) = [text for text in blocks(CLUSTER, "sh") if "ACL SETUSER" in text]
    for line in commands.replace("\\\n", " ").strip().splitlines():
        program, *words = shlex.split(line)
        assert program == "redis-cli"
        redis_server.command(*words)
    return redis_server


def url_of(user: str, redis_server: RedisServer) -> str:
    return f"redis://{user}:s3cret@127.0.0.1:{redis_server.port}"


@pytest.mark.redis
@pytest.mark.parametrize("max_subscriptions", [10_000, 1])
async def test_users_of_redis_may_do_what_servers_need(
    max_subscriptions: int, guarded_redis: RedisServer
) -> None:
    url = url_of("chat", guarded_redis)
    one, two = [
        trio_sio.Server(adapter=RedisAdapter(url, max_subscriptions=max_subscriptions))
        for _ in range(2)
    ]
    async with one, two, connect(one) as anna, connect(two) as ben:
        (ben_id,) = two.sockets.connected
        adapter = one.sockets.adapter
        people = await adapter.clients([])
        assert people.complete
        assert people == {*one.sockets.connected, ben_id}
        await adapter.remote_join(ben_id, "tea")
        await one.to("tea").emit("ready", "tea")
        assert await ben.receive() == ["ready", "tea"]
        await two.emit("all")
        assert await anna.receive() == ["all"]
        for io in (one, two):
            now = io.statistics().adapter
            assert (now.healthy, now.problem, now.invalid) == (True, "", 0)
        assert guarded_redis.patterns() == (max_subscriptions == 1)  # both have the same one


@pytest.mark.redis
async def test_users_of_redis_may_do_what_emitters_need(guarded_redis: RedisServer) -> None:
    io = trio_sio.Server(adapter=RedisAdapter(url_of("chat", guarded_redis)))
    url = url_of("backend", guarded_redis)
    async with io, connect(io) as anna:
        async with RedisEmitter(url) as emitter:
            await emitter.emit("ready", "tea")
        with SyncRedisEmitter(url) as blocking:
            blocking.emit("ready", "coffee")
        assert [await anna.receive() for _ in range(2)] == [["ready", "tea"], ["ready", "coffee"]]


@pytest.mark.redis
@pytest.mark.parametrize(
    ("user", "refused"),
    [
        ("chat", ["GET", "key"]),
        ("chat", ["PUBLISH", "other#/#", "x"]),
        ("chat", ["PUBSUB", "CHANNELS"]),
        ("chat", ["CONFIG", "GET", "*"]),
        ("backend", ["SUBSCRIBE", "socket.io#/#"]),
        ("backend", ["PUBLISH", "socket.io-request#/#", "x"]),
    ],
)
def test_users_of_redis_may_do_nothing_else(
    user: str, refused: list[str], guarded_redis: RedisServer
) -> None:
    with redis.Redis.from_url(url_of(user, guarded_redis), protocol=3) as client:
        assert client.publish("socket.io#/#", b"") == 0
        with pytest.raises(redis.exceptions.NoPermissionError):
            client.execute_command(*refused)


# -- the reference ---------------------------------------------------------------------------------


def documented() -> dict[str, set[str]]:
    """What the pages of the reference show: names behind `:::`, and which members of each."""
    found = {}
    for name, text in PAGES.items():
        if name.startswith("docs/api/"):
            for path, listed in re.findall(
                r"^::: ([\w.]+)\n    options:\n      members:(.*\n(?:        - .*\n)*)",
                f"{text}\n",
                re.MULTILINE,
            ):
                found[path] = set(re.findall(r"^        - \"?(\w+)", listed, re.MULTILINE))
            assert text.count("\n::: ") == sum(f"\n::: {path}\n" in text for path in found), name
    return found


def test_each_export_is_in_the_reference() -> None:
    exported = {name for name in dir(trio_sio) if not name.startswith("_")} - {"JSON"}
    exported = {name for name in exported if not inspect.ismodule(getattr(trio_sio, name))}
    assert exported == {
        path.removeprefix("trio_sio.") for path in documented() if path.count(".") == 1
    }


@pytest.mark.parametrize("module", ["testing", "testing.machines", "testing.strategies"])
def test_each_export_of_the_testing_kit_is_in_the_reference(module: str) -> None:
    kit, path = importlib.import_module(f"trio_sio.{module}"), f"trio_sio.{module}"
    exported = {
        name
        for name, thing in vars(kit).items()
        if callable(thing) and thing.__module__.startswith(f"{path}.")
    }
    found = {one.rpartition(".")[2] for one in documented() if one.startswith("trio_sio.testing.")}
    assert exported <= found | documented().get(path, set())


def test_what_examples_import_of_the_testing_kit_is_in_the_reference() -> None:
    imported = re.compile(r"^from (trio_sio\.testing(?:\.\w+)*) import (.+)$", re.MULTILINE)
    names = {
        f"{module}.{name.strip()}"
        for path in (ROOT / "examples").rglob("*.py")
        for module, listed in imported.findall(path.read_text("utf-8"))
        for name in listed.split(" as ")[0].split(",")
    }
    assert "trio_sio.testing.connect" in names
    assert names <= documented().keys() | {"trio_sio.testing.strategies"}


@pytest.mark.parametrize("name", test_api_table.CALLED)
def test_each_public_member_is_in_the_reference(name: str) -> None:
    cls = test_api_table.CALLED[name]
    if cls is trio_sio.Handshake:
        return  # a value: its attributes are those that its docstring lists
    within = test_api_table.WITHIN_THE_PACKAGE.get(name, set())
    members = {
        member
        for member in dir(cls)
        if not member.startswith("_")
        and isinstance(
            inspect.getattr_static(cls, member), (types.FunctionType, property, classmethod)
        )
    }
    annotations = inspect.get_annotations(cls).items()
    members |= {
        one for one, kind in annotations if getattr(kind, "__origin__", "") is Callable
    }  # as functions
    modules = {RedisAdapter: "trio_sio.adapters.redis", RedisEmitter: "trio_sio.emitter"}
    module = modules.get(cls, "trio_sio")
    assert documented()[f"{module}.{cls.__name__}"] == members - within, "see docs/api"


def test_the_reference_leaves_out_what_is_there_for_the_package_alone() -> None:
    docstring = inspect.cleandoc(
        """
        One client.

        Args:
            client: the client.

        Attributes:
            id: the id,
                of more than a line.
            inbox: not for everybody.
        """
    )
    shown = "One client.\n\nAttributes:\n    id: the id,\n        of more than a line."
    assert reference.public(docstring, "Socket") == shown
    assert "Args:" in reference.public(docstring, "Server")
    called = {cls.__name__: name for name, cls in test_api_table.CALLED.items()}
    assert called == reference.CALLED


# -- lines of the log ------------------------------------------------------------------------------


async def later_client(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=5&transport=polling")


async def wrong_path(wire: Raw) -> None:
    await wire.get("/chat/?EIO=3&transport=polling")


async def unwelcome_origin(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=3&transport=polling", {"Origin": "http://localhost:8080"})


async def unknown_session(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=3&transport=polling&sid=pMx0aBcDeF")


async def session_of_another_node(wire: Raw) -> None:
    await wire.get("/socket.io/?EIO=3&transport=polling&sid=w3.pMx0aBcDeFgHiJkLmNoP")


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
        (session_of_another_node, {"node_id": "w1"}),
        (unknown_namespace, {}),
        (too_large, {"max_http_buffer_size": 1000, "handshake_buffer_size": 1000}),
    ],
)
async def test_each_line_about_clients_that_do_not_connect_is_the_logs(
    act: object, options: dict[str, object], caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(slow_step=None, **options)  # type: ignore[arg-type]  # by name
    io.of("/chat")
    async with served(io) as url, raw(url) as wire:
        await act(wire)  # type: ignore[operator]  # one of those above
    (line,) = caplog.messages
    shown = re.sub(r"session [\w-]{6}…", "session pMx0aB…", line)
    lines = blocks(DEBUGGING.partition("## When it does not connect")[2], "text")
    assert f"{shown}\n" in lines
    assert len(lines) == 7


def report() -> None:
    time.sleep(0.1)


async def test_the_line_about_a_held_event_loop_is_the_logs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = trio_sio.Server(slow_step=0.01)
    io.on("report", lambda socket: report())
    async with connect(io) as client:
        await client.call("report")
    (shown,) = [text for text in blocks(DEPLOYMENT, "text") if "was held" in text]
    wanted = _without_what_differs(shown.replace("\n", " ").strip())
    assert wanted in [_without_what_differs(line) for line in caplog.messages]


def _without_what_differs(line: str) -> str:
    line = re.sub(r"\d+\.\d+ s", "0.25 s", line)
    return re.sub(r"by \S+ for <Socket '\S+'", "by report for <Socket 'sid'", line)


def test_the_sentence_about_a_client_that_gave_up_is_its_detail() -> None:
    detail = trio_sio.DisconnectDetail(
        trio_sio.DisconnectReason.TRANSPORT_CLOSE, "", "", None, None, 0.0, stalled=40.0
    )
    assert f'"{detail}"' in DEPLOYMENT.replace("\n", " ")
