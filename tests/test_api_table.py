"""The table of the API: every row is proven by tests that exist, every public name has a row."""

import ast
import inspect
import re
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

import trio_sio
from trio_sio.adapters.redis import RedisAdapter
from trio_sio.emitter import RedisEmitter

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "tests" / "api"
TABLE = (ROOT / "docs" / "javascript-api.md").read_text("utf-8")

# How the table calls an instance of each class.
CALLED: dict[str, type] = {
    "io": trio_sio.Server,
    "namespace": trio_sio.Namespace,
    "parent": trio_sio.ParentNamespace,
    "target": trio_sio.Broadcast,
    "answers": trio_sio.Answers,
    "remote": trio_sio.RemoteSocket,
    "socket": trio_sio.Socket,
    "client": trio_sio.Client,
    "handshake": trio_sio.Handshake,
    "session": trio_sio.Session,
    "engine": trio_sio.Engine,
    "adapter": trio_sio.MemoryAdapter,
    "redis": RedisAdapter,
    "emitter": RedisEmitter,
}
# What has no underscore because one storey of the package calls another by it; applications have
# no use for these.
WITHIN_THE_PACKAGE = {
    "namespace": {
        *("acquire", "add", "chain", "change_adapter", "change_codec", "counters"),
        *("discard", "drop_idle", "encode", "encoder", "find_clients", "heard_events", "is_idle"),
        *("is_listened_to", "keep", "let_go", "release"),
        *("next_ack_id", "publish", "publish_nowait", "take_handlers", "users", "home"),
        *("ask", "incoming_watchers", "outgoing_watchers", "parts", "represent", "watch"),
        *("hear_server", "server_events", "recoveries", "recovery", "recovery_group"),
    },
    "parent": {
        *("accepts", "add", "ask", "counters", "drop_idle", "find_clients", "home", "label"),
        *("parts", "publish", "publish_nowait", "recovery_group", "remove", "server_events"),
        "watch",
    },
    "answers": {"begin", "check", "close", "drop", "expect", "give_up", "take", "wait_complete"},
    "socket": {
        *("acknowledge", "background", "change_backlog", "deliver", "deliver_volatile"),
        *("describe", "dispatcher", "end", "enter", "expect_answer", "forget_answer", "inbox"),
        *("invoker", "is_idle", "is_over", "kick", "mark_ended", "notify_outgoing", "open"),
        *("phase", "recovery_session", "refuse", "sender", "wait_idle"),
    },
    "client": {
        *("dialect", "disconnect", "joins", "left", "log", "order", "run", "wait_heard"),
    },
    "handshake": {"as_json", "of", "of_json"},
    "session": {
        *("abandon_upgrade", "begin_upgrade", "count_limit", "deliver", "enqueue", "explain"),
        *("finish_upgrade", "is_listening", "lifecycle", "limits", "log", "on_backlog", "outbox"),
        *(
            "overlap",
            "ping",
            "probe",
            "raise_errors",
            "run",
            "start_with",
            "state",
            "time_out",
            "timers",
        ),
        *("let_go", "lift_limits", "limits_lifted"),
        *("wait_application_done", "wait_heard", "watch"),
    },
    "engine": {"answer", "from_options", "observe", "open_session"},
    "redis": {"broker"},
    "adapter": {
        *("ask", "deliver", "enter", "find", "find_clients", "leave", "leave_all", "pass_on"),
        *("pause_after", "begin_session", "drop_session", "missed", "open_session"),
        *("persist_session", "record", "restore_session", "stamp"),
    },
}
# A test that has one of these has a real client, or bytes over a real socket, on the other side.
REAL = (
    *(
        "raw(url)",
        "both(io",
        "watched(make_server",
        "watched(io)",
        "peer(",
        "connected(",
        "program(",
    ),
    *("World", "Crowd", "Disturbed", "RedisServer", "Mixed"),  # real nodes and a real Redis
)


class Row(NamedTuple):
    """One row."""

    theirs: str
    ours: str
    note: str
    proof: str


def rows() -> list[Row]:
    found = []
    for line in TABLE.splitlines():
        if line.startswith("| ") and not line.startswith(("| --- ", "| JavaScript ")):
            cells = [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]
            assert len(cells) == 4, line
            found.append(Row(*cells))
    return found


@cache
def functions(path: Path) -> dict[str, str]:
    """The test functions of a file, and their source."""
    source = path.read_text("utf-8")
    return {
        node.name: ast.unparse(node)
        for node in ast.parse(source).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
    }


def proofs(row: Row) -> list[tuple[Path, str]]:
    found = []
    for proof in row.proof.split(", "):
        match = re.fullmatch(r"`([\w/]+\.py)::(\w+)`", proof)
        assert match, f"{row.theirs}: {proof!r} is not `file.py::test`"
        name, function = match.groups()
        found.append(((ROOT if "/" in name else FOLDER) / name, function))
    return found


def members(cls: type) -> set[str]:
    """The public names of a class, those among its documented attributes included."""
    names = {name for name in dir(cls) if not name.startswith("_")}
    for base in cls.__mro__:
        attributes = (inspect.cleandoc(base.__doc__ or "")).partition("Attributes:")[2]
        names.update(re.findall(r"^    (\w+):", attributes, re.MULTILINE))
    return names


def test_there_are_rows() -> None:
    assert len(rows()) > 90
    assert all(row.theirs or row.ours for row in rows())


@pytest.mark.parametrize("row", rows(), ids=lambda row: f"{row.theirs} {row.ours}"[:50])
def test_each_row_is_proven(row: Row) -> None:
    found = proofs(row)
    sources = [functions(path).get(function) for path, function in found]
    missing = [place for place, source in zip(found, sources, strict=True) if source is None]
    assert missing == []
    assert any(word in source for source in sources if source for word in REAL)


def test_each_file_of_the_folder_proves_something() -> None:
    named = {path for row in rows() for path, _ in proofs(row)}
    assert {path.name for path in FOLDER.glob("test_*.py")} == {
        path.name for path in named if path.parent == FOLDER
    }


@pytest.mark.parametrize("name", CALLED)
def test_each_public_member_has_a_row(name: str) -> None:
    mentioned = set(re.findall(rf"\b{name}\.(\w+)", "\n".join(row.ours for row in rows())))
    within = WITHIN_THE_PACKAGE.get(name, set())
    assert members(CALLED[name]) - mentioned - within == set()
    assert within & mentioned == set()
    assert within <= members(CALLED[name])


def test_each_export_has_a_row() -> None:
    exported = {name for name in dir(trio_sio) if not name.startswith("_")}
    exported = {name for name in exported if not inspect.ismodule(getattr(trio_sio, name))}
    mentioned = set(re.findall(r"\b[A-Z]\w+|(?<=`trio_sio\.)\w+", TABLE))
    assert exported - mentioned == set()


def test_each_option_has_a_row() -> None:
    ours = " ".join(row.ours for row in rows())
    known = trio_sio.ServerOptions.declarations()
    assert {name for name in known if f"`{name}`" not in ours} == set()


def test_each_reason_has_a_row() -> None:
    named = {row.ours.strip("`").removeprefix("DisconnectReason."): row for row in rows()}
    for reason in trio_sio.DisconnectReason:
        row = named[reason.name]
        assert reason.value in f"{row.theirs} {row.note}"
