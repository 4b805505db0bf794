"""What is told of a run: lines while it runs, JSON and JUnit XML behind it."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO
from xml.etree import ElementTree

from trio_sio.conformance.runner import Outcome, Result

_MARKS = {
    Outcome.PASSED: "ok     ",
    Outcome.FAILED: "FAILED ",
    Outcome.DIFFERS: "differs",
    Outcome.AGREES: "AGREES ",
}


class Progress:
    """Writes a line for each check, and its end where there was one.

    Args:
        checks: how many there will be.
        protocol: as clients of which revision see the server.
        verbose: whether to write a line for a check that passes, too.
        out: where to write, `sys.stdout` by default.
    """

    def __init__(
        self, checks: int, protocol: int, *, verbose: bool, out: TextIO | None = None
    ) -> None:
        self._checks = checks
        self._protocol = protocol
        self._done = 0
        self._verbose = verbose
        self._out = sys.stdout if out is None else out

    def tell(self, result: Result) -> None:
        """Tell of a result."""
        self._done += 1
        if result.outcome is Outcome.PASSED and not self._verbose:
            self._show(f"{self._done} of {self._checks}")
            return
        self._show("")
        self._line(f"{_MARKS[result.outcome]} {result.check.name} ({result.seconds:.2f} s)")
        if result.message:
            self._line(f"        {result.check.sentence}")
            self._line(f"        {result.message}")

    def finish(self, results: Sequence[Result]) -> None:
        """Write the sum, and how many checks are missing in it."""
        self._show("")
        counts = Counter(result.outcome for result in results)
        parts = [f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]]
        text = f"{len(results)} checks in protocol {self._protocol}: {', '.join(parts) or 'none'}"
        if left := self._checks - len(results):
            text += f"; interrupted, {left} not run to their end"
        self._line(text)

    def _line(self, line: str) -> None:
        self._out.write(f"{line}\n")
        self._out.flush()

    def _show(self, text: str) -> None:
        """Show something that goes again, where somebody watches."""
        if self._out.isatty():
            self._out.write(f"\r\x1b[K{text}")
            self._out.flush()


def write_json(
    path: Path,
    url: str,
    results: Sequence[Result],
    *,
    is_complete: bool = True,
    protocol: int = 4,
) -> None:
    """Write all results as JSON; a server conforms only if all checks have run."""
    report = {
        "url": url,
        "protocol": protocol,
        "complete": is_complete,
        "conforms": is_complete and all(result.is_good for result in results),
        "checks": [
            {
                "name": result.check.name,
                "sentence": result.check.sentence,
                "outcome": result.outcome,
                "message": result.message,
                "seconds": round(result.seconds, 3),
            }
            for result in results
        ],
    }
    path.write_text(json.dumps(report, indent=2) + "\n", "utf-8")


def write_junit(path: Path, url: str, results: Sequence[Result]) -> None:
    """Write all results as JUnit XML, which CI servers show."""
    suite = ElementTree.Element(
        "testsuite",
        name=f"Socket.IO conformance of {url}",
        tests=str(len(results)),
        failures=str(sum(not result.is_good for result in results)),
        time=f"{sum(result.seconds for result in results):.3f}",
    )
    for result in results:
        area, _, name = result.check.name.partition("/")
        case = ElementTree.SubElement(
            suite, "testcase", classname=area, name=name, time=f"{result.seconds:.3f}"
        )
        if not result.is_good:
            ElementTree.SubElement(case, "failure", message=_printable(result.message))
        elif result.message:
            text = ElementTree.SubElement(case, "system-out")
            text.text = _printable(result.message)
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)


def _printable(text: str) -> str:
    """Return text without what XML cannot have."""
    return "".join(one if one.isprintable() else f"\\x{ord(one):02x}" for one in text)
