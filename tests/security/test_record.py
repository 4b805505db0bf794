"""The security record of Socket.IO's servers and their libraries, row by row, and what shows that
this server does not belong on it.

A row names its tests by the beginning of their names. Each row has some, and each test in this
folder belongs to a row.
"""

import ast
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent


class Fault(StrEnum):
    """The classes of faults, most frequent first."""

    ALLOCATION = "unlimited allocation by a peer that nobody knows"
    UNCAUGHT = "an exception that malformed input sets off and nobody catches"
    STRUCTURE = "the structure of what was decoded is not checked"
    IDENTITY = "who somebody is, and where he comes from"
    LEFTOVERS = "work or state that is kept after the peer has left"
    TRUST = "trust in what a broker or a file says"


class Row(NamedTuple):
    """One row.

    Attributes:
        where: who had the fault.
        fault: its class.
        what: the fault.
        tests: how the names of its tests begin, behind `test_`.
    """

    where: str
    fault: Fault
    what: str
    tests: tuple[str, ...]


A, U, S, I, L, T = Fault  # noqa: E741 - the table has to be read across

RECORD: dict[str, Row] = {
    # -- socket.io and engine.io ---------------------------------------------------------------
    "CVE-2017-16031": Row("socket.io", I, "guessable session ids", ("cve_2017_16031_",)),
    "CVE-2020-28481": Row("socket.io", I, "any origin by default", ("cve_2020_28481_",)),
    "CVE-2024-38355": Row("socket.io", U, "an event named `error`", ("cve_2024_38355_",)),
    "CVE-2020-36048": Row("engine.io", A, "100 MB bodies in memory", ("cve_2020_36048_",)),
    "CVE-2022-21676": Row("engine.io", U, "a frame with reserved bits", ("cve_2022_21676_",)),
    "CVE-2022-41940": Row("engine.io", U, "a reset while it refuses", ("cve_2022_41940_",)),
    "CVE-2023-31125": Row("engine.io", U, "an odd `transport`", ("cve_2023_31125_",)),
    "CVE-2026-59725": Row("engine.io", A, "a refused POST stays open", ("cve_2026_59725_",)),
    # -- socket.io-parser ----------------------------------------------------------------------
    "CVE-2020-36049": Row("socket.io-parser", A, "quadratic decoding", ("cve_2020_36049_",)),
    "CVE-2022-2421": Row("socket.io-parser", S, "an attachment's number", ("cve_2022_2421_",)),
    "CVE-2023-32695": Row("socket.io-parser", S, "an event's name", ("cve_2023_32695_",)),
    "CVE-2026-33151": Row("socket.io-parser", A, "any number of attachments", ("cve_2026_33151_",)),
    "CVE-2026-69185": Row(
        "socket.io-parser", L, "0 attachments: half a packet", ("cve_2026_69185_",)
    ),
    # -- the same, without an id ---------------------------------------------------------------
    "the protocol's version changes": Row(
        "engine.io", I, "in the middle of a session", ("no_id_javascript_the_version_",)
    ),
    "answers that come too late": Row(
        "socket.io",
        L,
        "those of broadcasts that have timed out are kept",
        ("no_id_javascript_answers_", "no_id_javascript_broadcasts_"),
    ),
    "names in the query": Row(
        "engine.io",
        S,
        "a query that inherits, such as `__proto__`",
        ("no_id_javascript_names_in_the_query_", "no_id_javascript_a_query_"),
    ),
    "a matcher with a memory": Row(
        "socket.io", S, "matches every other name", ("no_id_javascript_a_matcher_",)
    ),
    "middleware": Row(
        "socket.io",
        U,
        "goes on twice, or fails",
        ("no_id_javascript_middleware_", "no_id_javascript_nobody_passes_middleware_"),
    ),
    "errors behind the head": Row(
        "engine.io",
        U,
        "a second head, or half of one",
        ("no_id_javascript_an_error_", "no_id_javascript_an_answer_that_cannot_be_sent_"),
    ),
    # -- ws and cookie -------------------------------------------------------------------------
    "CVE-2016-10518": Row("ws", I, "others' memory in a pong", ("cve_2016_10518_",)),
    "CVE-2026-45736": Row("ws", I, "others' memory in a close frame", ("cve_2026_45736_",)),
    "CVE-2016-10542": Row("ws", A, "huge frames", ("cve_2016_10542_",)),
    "GHSA-5v72-xg48-5rpm": Row(
        "ws", U, "extensions with inherited names", ("ghsa_5v72_xg48_5rpm_",)
    ),
    "CVE-2021-32640": Row("ws", A, "slow reading of a subprotocol", ("cve_2021_32640_",)),
    "CVE-2024-37890": Row("ws", U, "many headers", ("cve_2024_37890_",)),
    "CVE-2026-48779": Row("ws", A, "tiny fragments and chunks", ("cve_2026_48779_",)),
    "GHSA-pxg6-pf52-xh8x": Row("cookie", S, "a cookie that is more", ("ghsa_pxg6_pf52_xh8x_",)),
    # -- python-socketio and python-engineio ---------------------------------------------------
    "CVE-2025-61765": Row(
        "python-socketio", T, "unpickles what a broker says", ("cve_2025_61765_",)
    ),
    "CVE-2026-48802": Row("python-engineio", A, "a task for each PONG", ("cve_2026_48802_",)),
    "CVE-2026-48809": Row("python-engineio", A, "reads before it checks", ("cve_2026_48809_",)),
    "CVE-2026-48804": Row(
        "python-socketio", L, "attachments nobody waits for", ("cve_2026_48804_",)
    ),
    "CVE-2019-13611": Row("python-engineio", I, "upgrades from any origin", ("cve_2019_13611_",)),
    # -- the same, without an id ---------------------------------------------------------------
    "events too early": Row(
        "python-socketio",
        I,
        "before the connection handler has returned",
        (
            "no_id_python_socketio_events_",
            "no_id_python_socketio_a_connection_handler_",
            "no_id_python_socketio_who_has_not_passed_middleware_",
        ),
    ),
    "a room named like an id": Row(
        "python-socketio",
        I,
        "joined or closed by somebody else",
        ("no_id_python_socketio_a_room_", "no_id_python_socketio_no_clients_packet_"),
    ),
    "bodies beyond their length": Row(
        "python-engineio", A, "read to their end", ("no_id_python_engineio_a_body_",)
    ),
    "requests at the wrong time": Row(
        "python-engineio",
        I,
        "before the session is there, and behind its upgrade",
        (
            "no_id_python_engineio_requests_",
            "no_id_python_engineio_polls_after_the_upgrade_",
            "no_id_python_engineio_a_websocket_is_not_heard_",
        ),
    ),
    "paths that climb": Row(
        "python-engineio", T, "`../` in a path", ("no_id_python_engineio_paths_",)
    ),
    # -- others --------------------------------------------------------------------------------
    "CVE-2025-43859": Row("h11", S, "careless ends of chunks", ("cve_2025_43859_",)),
    # Not applicable: nobody logs in to this server. The test holds it to that.
    "CVE-2021-33880": Row("websockets", I, "a password found by timing", ("cve_2021_33880_",)),
    "CVE-2018-1000518": Row("websockets", A, "inflates without limit", ("cve_2018_1000518_",)),
    "the silent channel": Row(
        "netty-socketio", A, "connects, says nothing", ("netty_silent_channel_",)
    ),
    # Nothing is on record; our side of the seam takes the same frames.
    "nothing on record": Row("wsproto, trio-websocket", U, "bad frames", ("cve_2022_21676_",)),
}

IN_ALL_CLASSES = (
    *("test_any_bytes", "test_auth", "test_coming_back", "test_limits", "test_origins"),
    "test_revision_4",
)
"""The files that test families of bytes, rather than what has happened once."""

OTHERWISE = {
    "CVE-2017-16031": "an id is made before anybody speaks",
    "CVE-2020-36049": "decoders, each by itself",
    "CVE-2025-61765": "servers and files",
    "CVE-2021-33880": "the package's source",
    "paths that climb": "files, for which no query is read",
    "the protocol's version changes": "each revision has a test of its own",
}
"""Rows that have no test which is run for clients of both generations, and why."""


@cache
def functions() -> dict[str, str]:
    """Return the tests of this folder, without these, and the names of their files."""
    found = {}
    for path in sorted(FOLDER.glob("test_*.py")):
        if path.name != Path(__file__).name:
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                match node:
                    case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                        pass
                    case _:
                        continue
                if name.startswith("test_"):
                    assert name not in found, f"{name} is there twice"
                    found[name] = path.stem
    return found


@cache
def of_both() -> frozenset[str]:
    """Return the names of the tests that are run for clients of both generations."""
    found = set()
    for path in FOLDER.glob("test_*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.AsyncFunctionDef):
                arguments = {argument.arg for argument in node.args.args}
                found |= {node.name} if "eio" in arguments else set()
    return frozenset(found)


def rows_of(name: str) -> list[str]:
    """Return the rows that a test belongs to."""
    beginnings = {row: [f"test_{one}" for one in RECORD[row].tests] for row in RECORD}
    return [row for row, some in beginnings.items() if name.startswith(tuple(some))]


@pytest.mark.parametrize("row", RECORD)
def test_every_row_has_its_tests(row: str) -> None:
    """Each beginning of a name is that of at least one."""
    names = functions()
    for beginning in RECORD[row].tests:
        assert [name for name in names if name.startswith(f"test_{beginning}")], beginning


@pytest.mark.parametrize("row", RECORD)
def test_every_row_is_run_for_both_generations(row: str) -> None:
    """Or says why not."""
    tests = {name for name in functions() if row in rows_of(name)}
    assert bool(tests & of_both()) is (row not in OTHERWISE)


def test_every_test_belongs_to_a_row() -> None:
    strangers = {
        name: file
        for name, file in functions().items()
        if not rows_of(name) and not file.startswith(IN_ALL_CLASSES)
    }
    assert strangers == {}


def test_every_class_has_rows_and_properties() -> None:
    assert {row.fault for row in RECORD.values()} == set(Fault)
    assert any(file.startswith(IN_ALL_CLASSES) for file in functions().values())


def test_an_id_is_tested_under_its_name() -> None:
    """And the other way round: what a test is named after is a row."""
    for row, entry in RECORD.items():
        if row.startswith(("CVE-", "GHSA-")):
            assert entry.tests == (row.lower().replace("-", "_") + "_",)
    for name in functions():
        if name.startswith(("test_cve_", "test_ghsa_")):
            assert any(row.startswith(("CVE-", "GHSA-")) for row in rows_of(name)), name


def test_no_row_has_gone_missing() -> None:
    """29 with an id, 11 without, one of a library's own notes, and one that is empty."""
    with_id = [row for row in RECORD if row.startswith(("CVE-", "GHSA-"))]
    assert (len(with_id), len(RECORD)) == (29, 42)
