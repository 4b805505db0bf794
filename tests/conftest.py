"""Which tests a run leaves out; its last lines say how many, and why.

Peers that a machine may lack: `--without node` leaves out what needs Node.js. Without the option a
missing peer is a failure, never a silent skip.

Tests marked `long` take many minutes and run with `--long` only; all other async tests have a time
limit. `--quick` leaves out the peers and the tests marked `slow`, and lets Hypothesis try few
examples; `--long` lets it try many.

Tests marked `alone` measure what others on the same machine would disturb, and `long` ones keep it
busy: `--alone without` leaves both to a second run, which is `--alone only`.
"""

import faulthandler
import gc
import importlib.util
import re
from collections import Counter
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Protocol

import pytest

from tests.support import examples
from tests.support.time_limit import limit_item
from tools.setup_machine import PEERS, PYTHON_SOCKETIO_5, SERVERS, find_program, program

# By marker: what has to be on the machine for a test that carries it.
_NEEDS = {
    "node": ("node",),
    "chromium": ("chromium", "node"),  # Node.js drives the browser
    "python_socketio": ("python-socketio",),
    "python_socketio_5": ("python-socketio-5",),
    "redis": ("redis",),
    "nginx": ("nginx",),
    "haproxy": ("haproxy",),
    "caddy": ("caddy",),
    "apache": ("apache",),
    "prometheus": ("prometheus",),
    "atheris": ("atheris",),
}
_PROGRAMS = {
    "node": ("node",),
    "chromium": ("chromium",),
    "python-socketio-5": (str(program(PYTHON_SOCKETIO_5, "python")),),
    **SERVERS,
}
_MODULES = {"atheris": "atheris"}  # has no wheel for some machines

_SLOW_FOLDERS = ("benchmarks", "end_to_end", "endings", "hostile", "security", "soak")
"""Their tests start processes, clients by the hundred or attacks, so all are marked `slow`."""

_MARKERS = {
    "long": "takes many minutes; runs with --long only",
    "slow": "takes seconds; left out with --quick",
    "alone": "measures what other tests would disturb; see --alone",
}

_ALONE_OR_LONG = re.compile(r"\bmark\.(alone|long)\b")
_PROPERTY = re.compile(r"\bhypothesis\b")
_LEFT_OUT = "left out"
_left_out = pytest.StashKey[Counter[str]]()
_file = pytest.StashKey[Path]()
"""Whose tests run."""


class _Worker(Protocol):
    """A process in which pytest-xdist runs tests, as the one that prints sees it."""

    config: pytest.Config
    workeroutput: dict[str, dict[str, int]]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--without",
        action="append",
        default=[],
        choices=PEERS,
        help="leave out the tests that need this peer (repeatable)",
    )
    parser.addoption(
        "--long",
        action="store_true",
        help="run the tests that take many minutes, too, and try many examples",
    )
    parser.addoption(
        "--quick",
        action="store_true",
        help="leave out tests that need a peer or take seconds, and try few examples",
    )
    parser.addoption(
        "--examples",
        type=int,
        default=examples.USUAL,
        metavar="NUMBER",
        help="that a property tries which asks for no number itself",
    )
    parser.addoption(
        "--alone",
        choices=["without", "only"],
        help="run only the tests that others may, or may not, run beside",
    )
    parser.addoption(
        "--limit",
        type=float,
        default=90.0,
        metavar="SECONDS",
        help="for each async test that is not marked `long`, in real time",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_left_out] = Counter()
    # Before test files are imported, whose decorators ask for examples.
    examples.be_thorough(config.getoption("--examples"))
    if config.getoption("--quick"):
        examples.be_quick()
    if config.getoption("--long"):
        examples.be_long()
    for marker, peers in _NEEDS.items():
        config.addinivalue_line("markers", f"{marker}: needs {' and '.join(peers)}")
    for marker, meaning in _MARKERS.items():
        config.addinivalue_line("markers", f"{marker}: {meaning}")


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files that have no test of those asked for: importing all takes half a minute."""
    words = _words_of_wanted_files(config)
    if words is None or not collection_path.name.startswith("test_"):
        return None
    return None if words.search(collection_path.read_text("utf-8")) else True


def _words_of_wanted_files(config: pytest.Config) -> re.Pattern[str] | None:
    if config.getoption("--alone") == "only":
        return _ALONE_OR_LONG
    if config.getoption("markexpr") == "hypothesis":  # what Hypothesis marks, and nobody else
        return _PROPERTY
    return None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    kept, dropped = [], []
    for item in items:
        if item.path.parent.name in _SLOW_FOLDERS:
            item.add_marker("slow")
        why = _why_left_out(item)
        if why is None:
            kept.append(item)
            if not _has_marker(item, "long"):
                limit_item(item, config.getoption("--limit"))
        else:
            dropped.append(item)
            config.stash[_left_out][why] += 1
    if dropped:
        config.hook.pytest_deselected(items=dropped)
        items[:] = kept
    if hasattr(config, "workerinput"):
        items.sort(key=_slow_files_first(items))


def _slow_files_first(items: list[pytest.Item]) -> Callable[[pytest.Item], bool]:
    """Return the order for several processes: what is left at the end is quick, so all end at once.

    Files stay whole, since their tests may share a server.
    """
    slow = {item.path for item in items if _has_marker(item, "slow")}
    return lambda item: item.path not in slow


def _pass_over_what_lasts(path: Path, config: pytest.Config) -> None:
    """Have the garbage collector look only at what a file's tests make, as many of them do.

    A million objects last as long as the run, and would take half a second each time.
    """
    if config.stash.get(_file, None) != path:
        config.stash[_file] = path
        gc.collect()
        gc.freeze()


def pytest_runtest_setup(item: pytest.Item) -> None:
    _pass_over_what_lasts(item.path, item.config)
    if _has_marker(item, "long") or item.config.getoption("--long"):
        faulthandler.cancel_dump_traceback_later()  # `faulthandler_timeout` is for others
    for peer in _peers(item):
        missing = [name for name in _PROGRAMS.get(peer, ()) if find_program(name) is None]
        if peer in _MODULES and importlib.util.find_spec(_MODULES[peer]) is None:
            missing.append(_MODULES[peer])
        if missing:
            what = f"{missing[0]} is not installed; `--without {peer}` leaves this out"
            pytest.fail(what, pytrace=False)


def pytest_sessionfinish(session: pytest.Session) -> None:
    output = getattr(session.config, "workeroutput", None)  # of a worker of pytest-xdist
    if output is not None:
        left_out = session.config.stash[_left_out]
        output[_LEFT_OUT] = dict(left_out)


@pytest.hookimpl(wrapper=True)
def pytest_report_to_serializable() -> Generator[None, object, object]:
    """Escape halves of surrogate pairs: pytest-xdist ends all processes at one in a failure."""
    return _sendable((yield))


def _sendable(value: object) -> object:
    match value:
        case str():
            return value.encode("utf-8", "backslashreplace").decode()
        case list():
            return [_sendable(one) for one in value]
        case tuple():
            return tuple(_sendable(one) for one in value)
        case dict():
            return {_sendable(key): _sendable(one) for key, one in value.items()}
    return value


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: _Worker) -> None:
    """Take what a worker has left out; all of them have collected the same tests."""
    if hasattr(node, "workeroutput"):  # it did not crash
        left_out: Counter[str] = Counter(node.workeroutput[_LEFT_OUT])
        node.config.stash[_left_out] = left_out


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    for why, count in config.stash[_left_out].items():
        terminalreporter.write_line(f"left out {why}: {count} tests", yellow=True)


def _why_left_out(item: pytest.Item) -> str | None:
    option = item.config.getoption
    if _has_marker(item, "long") and not option("--long"):
        return "without --long"
    without: list[str] = option("--without")
    missed = next((peer for peer in without if peer in _peers(item)), None)
    if missed is not None:
        return f"by --without {missed}"
    if option("--quick") and (_has_marker(item, "slow") or any(_peers(item))):
        return "by --quick"
    is_alone = _has_marker(item, "alone") or _has_marker(item, "long")
    if option("--alone") == ("without" if is_alone else "only"):
        return f"by --alone {option('--alone')}"
    return None


def _has_marker(item: pytest.Item, name: str) -> bool:
    return item.get_closest_marker(name) is not None


def _peers(item: pytest.Item) -> Iterator[str]:
    for marker in item.iter_markers():
        yield from _NEEDS.get(marker.name, ())
