"""What people and programs are told of a run."""

import io
import json
from pathlib import Path
from xml.etree import ElementTree

from trio_sio.conformance.area import Check
from trio_sio.conformance.report import Progress, write_json, write_junit
from trio_sio.conformance.runner import Outcome, Result
from trio_sio.conformance.target import Target


async def _nothing(target: Target) -> None: ...


def result(name: str, outcome: Outcome, message: str = "") -> Result:
    return Result(Check(f"doors/{name}", f"It {name}.", _nothing), outcome, message, 0.25)


RESULTS = [
    result("opens", Outcome.PASSED),
    result("closes", Outcome.FAILED, "it is stuck: '\x00' <&"),
    result("locks", Outcome.DIFFERS, "it has no lock"),
]


class Terminal(io.StringIO):
    """Where somebody watches."""

    def isatty(self) -> bool:
        return True


def told(out: io.StringIO, *, verbose: bool = False) -> str:
    progress = Progress(len(RESULTS), 5, verbose=verbose, out=out)
    for one in RESULTS:
        progress.tell(one)
    progress.finish(RESULTS)
    return out.getvalue()


def test_checks_that_have_not_run_are_counted() -> None:
    out = io.StringIO()
    progress = Progress(len(RESULTS) + 2, 5, verbose=False, out=out)
    progress.finish(RESULTS)
    assert out.getvalue().endswith("1 differs; interrupted, 2 not run to their end\n")


LINES = """\
FAILED  doors/closes (0.25 s)
        It closes.
        it is stuck: '\x00' <&
differs doors/locks (0.25 s)
        It locks.
        it has no lock
3 checks in protocol 5: 1 passed, 1 failed, 1 differs
"""


def test_lines_of_what_is_wrong() -> None:
    assert told(io.StringIO()) == LINES


def test_lines_of_all() -> None:
    assert told(io.StringIO(), verbose=True) == f"ok      doors/opens (0.25 s)\n{LINES}"


def test_a_terminal_is_shown_how_far_it_is() -> None:
    text = told(Terminal())
    assert text.startswith("\r\x1b[K1 of 3\r\x1b[KFAILED")
    assert text.replace("1 of 3", "").replace("\r\x1b[K", "") == LINES


def test_json(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    write_json(path, "http://localhost", RESULTS)
    report = json.loads(path.read_text("utf-8"))
    assert (report["url"], report["conforms"]) == ("http://localhost", False)
    assert report["checks"][1] == {
        "name": "doors/closes",
        "sentence": "It closes.",
        "outcome": "failed",
        "message": "it is stuck: '\x00' <&",
        "seconds": 0.25,
    }
    write_json(path, "http://localhost", RESULTS[::2])
    assert json.loads(path.read_text("utf-8"))["conforms"] is True


def test_junit(tmp_path: Path) -> None:
    path = tmp_path / "report.xml"
    write_junit(path, "http://localhost", RESULTS)
    suite = ElementTree.parse(path).getroot()
    counts = {name: suite.attrib[name] for name in ("tests", "failures", "time")}
    assert counts == {"tests": "3", "failures": "1", "time": "0.750"}
    assert [case.attrib["classname"] for case in suite] == ["doors"] * 3
    opens, closes, locks = suite
    assert list(opens) == []
    assert [(one.tag, one.attrib["message"]) for one in closes] == [
        ("failure", "it is stuck: '\\x00' <&")
    ]
    assert [(one.tag, one.text) for one in locks] == [("system-out", "it has no lock")]
