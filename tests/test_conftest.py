"""`--without` leaves tests out and says so; a missing peer without it is a failure. Long tests run
when they are asked for."""

import os
import subprocess
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from hypothesis.internal.conjecture import engine

from tests.support.examples import USUAL

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]
SUITE = """
import pytest

def test_plain(): pass

@pytest.mark.node
def test_node(): pass

@pytest.mark.chromium
def test_chromium(): pass

@pytest.mark.python_socketio
def test_python_socketio(): pass

@pytest.mark.python_socketio_5
def test_python_socketio_5(): pass

@pytest.mark.redis
def test_redis(): pass

@pytest.mark.nginx
def test_nginx(): pass

@pytest.mark.haproxy
def test_haproxy(): pass

@pytest.mark.caddy
def test_caddy(): pass

@pytest.mark.apache
def test_apache(): pass

@pytest.mark.prometheus
def test_prometheus(): pass

@pytest.mark.atheris
def test_atheris(): pass

@pytest.mark.node
@pytest.mark.redis
def test_cluster(): pass
"""
COUNT = SUITE.count("def ")
NO_SERVERS = """
from tools import setup_machine

setup_machine._FOR_SERVERS = ""  # those of this machine are not there
"""
NO_MODULES = """
from tests import conftest

conftest._MODULES = {"atheris": "no_such_module"}
"""
LONG = """
@pytest.mark.long
def test_long(): pass
"""


PROGRAMS = (
    *("node", "chromium", "redis-server", "redis-sentinel"),
    *("nginx", "haproxy", "caddy", "apache2", "prometheus"),
)


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A suite with a test of each kind, on a machine that has all programs."""
    (tmp_path / "pytest.ini").touch()
    (tmp_path / "test_suite.py").write_text(SUITE)
    (tmp_path / "no_servers.py").write_text(NO_SERVERS)
    (tmp_path / "no_modules.py").write_text(NO_MODULES)
    (tmp_path / "atheris.py").touch()
    (tmp_path / "bin").mkdir()
    for name in PROGRAMS:
        (tmp_path / "bin" / name).touch(mode=0o755)
    return tmp_path


PROPERTIES = "_hypothesis_pytestplugin"
ASYNC = "pytest_trio.plugin"
PROCESSES = "xdist"
"""Plugins, which a run loads only if it needs them: they take longer than most of the runs."""


def run(suite: Path, *arguments: str, plugins: Sequence[str] = ()) -> tuple[int, str]:
    loaded = [f"-p{name}" for name in ("tests.conftest", *plugins)]
    places = {"PATH": str(suite / "bin"), "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", *loaded, *arguments],
        check=False,
        cwd=suite,
        env={**os.environ, **places, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stdout + done.stderr


def test_all_peers_are_there(suite: Path) -> None:
    code, said = run(suite)
    assert code == 0
    assert f"{COUNT} passed" in said
    assert "left out" not in said


@pytest.mark.parametrize(
    ("without", "dropped"),
    [
        # Node.js drives the browser
        ("node", {"test_node", "test_chromium", "test_cluster"}),
        ("chromium", {"test_chromium"}),
        ("python-socketio", {"test_python_socketio"}),
        ("python-socketio-5", {"test_python_socketio_5"}),
        ("redis", {"test_redis", "test_cluster"}),
        ("nginx", {"test_nginx"}),
        ("haproxy", {"test_haproxy"}),
        ("caddy", {"test_caddy"}),
        ("apache", {"test_apache"}),
        ("prometheus", {"test_prometheus"}),
        ("atheris", {"test_atheris"}),
    ],
)
def test_without(suite: Path, without: str, dropped: set[str]) -> None:
    code, said = run(suite, f"--without={without}")
    assert code == 0
    assert f"{COUNT - len(dropped)} passed, {len(dropped)} deselected" in said
    assert f"left out by --without {without}: {len(dropped)} test" in said
    assert not [name for name in dropped if f"::{name} " in said]


def test_several_are_left_out(suite: Path) -> None:
    code, said = run(suite, "--without=node", "--without=python-socketio")
    assert code == 0
    assert f"{COUNT - 4} passed, 4 deselected" in said


def test_unknown_peer_is_refused(suite: Path) -> None:
    code, said = run(suite, "--without=nodejs")
    assert code != 0
    assert "invalid choice: 'nodejs'" in said


@pytest.mark.parametrize(
    ("program", "peer", "tests"),
    [("chromium", "chromium", 1), ("redis-sentinel", "redis", 2), ("nginx", "nginx", 1)],
)
def test_missing_peer_is_a_failure(suite: Path, program: str, peer: str, tests: int) -> None:
    (suite / "bin" / program).unlink()
    code, said = run(suite, "-p", "no_servers")
    assert code == 1
    assert f"{COUNT - tests} passed, {tests} error" in said
    assert f"{program} is not installed; `--without {peer}` leaves this out" in said


def test_missing_module_is_a_failure(suite: Path) -> None:
    code, said = run(suite, "-p", "no_modules")
    assert code == 1
    assert f"{COUNT - 1} passed, 1 error" in said
    assert "no_such_module is not installed; `--without atheris` leaves this out" in said


def test_long_tests_run_when_they_are_asked_for(suite: Path) -> None:
    (suite / "test_suite.py").write_text(SUITE + LONG)
    code, said = run(suite)
    assert code == 0
    assert f"{COUNT} passed, 1 deselected" in said
    assert "left out without --long: 1 test" in said
    code, said = run(suite, "--long")
    assert code == 0
    assert f"{COUNT + 1} passed" in said
    assert "left out" not in said


def test_a_long_test_may_take_longer_than_a_test_that_hangs(suite: Path) -> None:
    slow = LONG.replace("pass", "time.sleep(1)")
    (suite / "test_suite.py").write_text(f"import time\n{SUITE}{slow}")
    limit = ("-o", "faulthandler_timeout=0.3", "-o", "faulthandler_exit_on_timeout=true")
    code, said = run(suite, "--long", *limit)
    assert code == 0
    assert f"{COUNT + 1} passed" in said


def test_several_processes_run_files_with_slow_tests_first(suite: Path) -> None:
    (suite / "test_z.py").write_text(f"import pytest\n{SLOW}\ndef test_beside(): pass\n")
    several = ("--numprocesses=1", "--dist=worksteal", "-k", "beside or plain or slow")
    assert names_in_order(run(suite, *several, plugins=[PROCESSES])[1]) == [
        "test_slow",
        "test_beside",
        "test_plain",
    ]
    alone = ("-k", "beside or plain or slow")
    assert names_in_order(run(suite, *alone)[1]) == ["test_plain", "test_slow", "test_beside"]


def names_in_order(said: str) -> list[str]:
    """The tests that passed, as they were told one after the other."""
    lines = [line for line in said.splitlines() if "::test_" in line and "PASSED" in line]
    return [line.partition("::")[2].split()[0] for line in lines]


SLOW = """
@pytest.mark.slow
def test_slow(): pass

@pytest.mark.alone
def test_alone(): pass
"""
EXAMPLES = """
from hypothesis import given, strategies as st
from tests.support.examples import examples

seen = {"many": 0, "few": 0, "usual": 0}

@examples(50)
@given(st.integers())
def test_many(_): seen["many"] += 1

@examples(5)
@given(st.integers())
def test_few(_): seen["few"] += 1

@given(st.integers())
def test_usual(_): seen["usual"] += 1

def test_print(): print("seen", *seen.values(), ".")
"""


def test_a_quick_run_leaves_out_what_is_slow_or_needs_a_peer(suite: Path) -> None:
    (suite / "test_suite.py").write_text(SUITE + LONG + SLOW)
    code, said = run(suite, "--quick")
    assert code == 0
    assert f"2 passed, {COUNT + 1} deselected" in said
    assert "::test_plain PASSED" in said
    assert "::test_alone PASSED" in said
    assert f"left out by --quick: {COUNT} tests" in said
    assert "left out without --long: 1 test" in said


def test_a_quick_run_tries_few_examples_and_a_long_one_many(suite: Path) -> None:
    (suite / "test_suite.py").write_text(EXAMPLES)
    print_all = partial(run, suite, "-s", plugins=[PROPERTIES])
    assert f"seen 50 5 {USUAL} ." in print_all()[1]
    assert "seen 50 5 70 ." in print_all("--examples=70")[1]
    assert "seen 10 5 10 ." in print_all("--quick")[1]
    assert "seen 500 50 1000 ." in print_all("--long")[1]


def test_a_run_of_properties_imports_no_other_files(suite: Path) -> None:
    (suite / "test_suite.py").write_text(EXAMPLES)
    (suite / "test_others.py").write_text("raise AssertionError('there is no property here')")
    code, said = run(suite, "-m", "hypothesis", plugins=[PROPERTIES])
    assert code == 0
    assert "3 passed, 1 deselected" in said
    code, said = run(suite, "-m", "not hypothesis", plugins=[PROPERTIES])
    assert code == 2
    assert "there is no property here" in said


def test_what_others_disturb_runs_alone(suite: Path) -> None:
    (suite / "test_suite.py").write_text(SUITE + LONG + SLOW)
    (suite / "test_others.py").write_text("raise AssertionError('nothing here runs alone')")
    code, said = run(suite, "--alone=only", "--long")
    assert code == 0
    assert f"2 passed, {COUNT + 1} deselected" in said
    assert "::test_alone PASSED" in said
    assert "::test_long PASSED" in said
    (suite / "test_others.py").unlink()
    code, said = run(suite, "--alone=without", "--long")
    assert code == 0
    assert f"{COUNT + 1} passed, 2 deselected" in said
    assert "left out by --alone without: 2 tests" in said


def test_several_processes_say_once_what_is_left_out(suite: Path) -> None:
    (suite / "test_suite.py").write_text(SUITE + LONG + SLOW)
    code, said = run(suite, "-n2", "--without=node", plugins=[PROCESSES])
    assert code == 0
    assert f"{COUNT - 1} passed" in said
    assert said.count("left out by --without node: 3 tests") == 1
    assert said.count("left out without --long: 1 test") == 1


HANGS = """
import pytest, trio
from hypothesis import given, settings, strategies as st

async def test_passes(): await trio.sleep(0.01)

async def test_waits_for_ever(): await trio.sleep_forever()

async def test_spins_for_ever(autojump_clock):
    while True:
        await trio.sleep(60)

@settings(max_examples=1, database=None)
@given(st.just(1))
async def test_waits_for_each_example(one): await trio.Event().wait()

async def test_beside_others():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.sleep_forever)
"""


def test_an_async_test_that_hangs_fails_and_says_where(suite: Path) -> None:
    (suite / "test_suite.py").write_text(HANGS)
    options = ("--limit=0.5", "-o", "trio_mode=true")
    code, said = run(suite, *options, plugins=[ASYNC, PROPERTIES])
    assert code == 1
    assert "1 passed" in said
    assert "4 failed" in said
    assert said.count("it did not end within 0.5 s; it waited in") >= 4
    assert "test_waits_for_ever:" in said


FAILS = """
def test_half_a_pair(): raise ValueError("half of one: \\ud800")
"""


def test_several_processes_show_any_failure(suite: Path) -> None:
    """With half of a surrogate pair in its text, which cannot be sent as it is."""
    (suite / "test_suite.py").write_text(FAILS)
    code, said = run(suite, "-n1", plugins=[PROCESSES])
    assert code == 1
    assert "INTERNALERROR" not in said
    assert r"ValueError: half of one: \ud800" in said
    assert "1 failed" in said


LASTS = """
import gc

KEPT = [[]]

def is_looked_at(one): return any(other is one for other in gc.get_objects())

def test_what_was_there(): assert not is_looked_at(KEPT[0])

def test_what_is_new(): KEPT.append([]); assert is_looked_at(KEPT[1])

def test_what_another_test_has_made(): assert is_looked_at(KEPT[1])
"""
LASTED = """
from test_suite import KEPT, is_looked_at

def test_what_another_file_has_made(): assert len(KEPT) == 2 and not is_looked_at(KEPT[1])
"""


def test_the_garbage_collector_looks_at_one_file_at_a_time(suite: Path) -> None:
    (suite / "test_suite.py").write_text(LASTS)
    (suite / "test_z.py").write_text(LASTED)
    code, said = run(suite)
    assert code == 0, said
    assert "4 passed" in said


def test_a_failed_property_is_no_hanging_test(pytestconfig: pytest.Config) -> None:
    """It fails, though Hypothesis needs all of its time to make the example small."""
    assert float(pytestconfig.getini("faulthandler_timeout")) >= 2 * engine.MAX_SHRINKING_SECONDS
