"""The page of the documentation that says what came of the mutants: read, changed and written."""

import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from tools.mutation.mutants import SOURCE
from tools.setup_machine import ROOT

PATH = ROOT / "docs" / "mutation.md"
REASONS = ROOT / "tools" / "mutation" / "survivors.toml"

_BEGIN = "<!-- python -m tools.mutation writes what follows -->\n"
_HEAD = """
| module | mutants | noticed | survived | explained | score |
| --- | ---: | ---: | ---: | ---: | ---: |
"""
_ROW = re.compile(r"^\| `(\S+)` \| (\d+) \| (\d+) \|", re.MULTILINE)
_SECTION = re.compile(r"^### `(\S+)`\n\n((?:\* .*\n)+)", re.MULTILINE)
_SURVIVOR = re.compile(r"^\* ``` (.*) ```(?: \((\d+) times\))?", re.MULTILINE)

Reasons = Mapping[str, Mapping[str, str]]
"""By module and by mutant: why it does not matter that no test notices it."""


@dataclass
class Tally:
    """What came of a module's mutants.

    Attributes:
        killed: how many a test has noticed.
        survivors: the others, and how often each is there.
    """

    killed: int = 0
    survivors: Counter[str] = field(default_factory=Counter)

    def add(self, mutant: str, killer: str) -> None:
        """Count one more mutant."""
        if killer:
            self.killed += 1
        else:
            self.survivors[mutant] += 1

    @property
    def survived(self) -> int:
        """How many no test has noticed."""
        return self.survivors.total()

    def row(self, name: str, reasons: Mapping[str, str]) -> str:
        """Return the module's row of the table."""
        explained = sum(count for one, count in self.survivors.items() if one in reasons)
        mutants = self.killed + self.survived
        score = f"{100 * self.killed / mutants:.1f} %" if mutants else "—"
        return f"| {name} | {mutants} | {self.killed} | {self.survived} | {explained} | {score} |"


def read_reasons() -> Reasons:
    """Return the reasons of all survivors that have one."""
    groups: list[dict[str, Any]] = tomllib.loads(REASONS.read_text("utf-8")).get("explained", [])
    reasons: dict[str, dict[str, str]] = {}
    for group in groups:
        for mutant in group["mutants"]:
            reasons.setdefault(group["module"], {})[mutant] = group["reason"]
    return reasons


class Page:
    """What the page says.

    Args:
        intro: what people have written.
        tallies: by module.
        reasons: why survivors do not matter.
    """

    def __init__(self, intro: str, tallies: dict[str, Tally], reasons: Reasons) -> None:
        self._intro = intro
        self.tallies = tallies
        self.reasons = reasons

    @classmethod
    def read(cls) -> Self:
        """Read the page that is there."""
        intro, _, written = PATH.read_text("utf-8").partition(_BEGIN)
        tallies = {name: Tally(int(killed)) for name, _, killed in _ROW.findall(written)}
        for name, lines in _SECTION.findall(written):
            for mutant, count in _SURVIVOR.findall(lines):
                tallies[name].survivors[mutant] += int(count or 1)
        return cls(intro, tallies, read_reasons())

    def put(self, name: str, tally: Tally) -> None:
        """Put a module's new tally in place of the one that the page has."""
        self.tallies[name] = tally

    @property
    def summary(self) -> str:
        """The last row of the table."""
        whole, explained = Tally(), {}
        for name, tally in self.tallies.items():
            whole.killed += tally.killed
            for mutant, count in tally.survivors.items():
                whole.survivors[f"{name} {mutant}"] = count
                if mutant in self.reasons.get(name, {}):
                    explained[f"{name} {mutant}"] = ""
        return whole.row("all", explained)

    @property
    def text(self) -> str:
        """The whole page."""
        names = {path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py")}
        rows = [
            self.tallies[name].row(f"`{name}`", self.reasons.get(name, {}))
            if name in self.tallies
            else f"| `{name}` | not tried yet | | | | |"
            for name in sorted(names)
        ]
        sections = [
            f"### `{name}`\n\n{self._survivors(name, tally)}"
            for name, tally in sorted(self.tallies.items())
            if tally.survivors
        ]
        table = _HEAD + "\n".join([*rows, self.summary]) + "\n"
        return "\n".join([self._intro + _BEGIN + table, "## Survivors\n", *sections])

    def _survivors(self, name: str, tally: Tally) -> str:
        lines = []
        for mutant, count in tally.survivors.items():
            reason = self.reasons.get(name, {}).get(mutant, "")
            times = f"({count} times) " if count > 1 else ""
            lines.append(f"* ``` {mutant} ``` {times}{reason}".rstrip() + "\n")
        return "".join(lines)

    def write(self) -> None:
        """Write the page."""
        PATH.write_text(self.text, "utf-8")
