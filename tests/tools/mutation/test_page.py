"""The page about mutants: every module is on it, and its survivors have reasons."""

import pytest

from tools.mutation.mutants import SOURCE
from tools.mutation.page import PATH, Page, Tally, read_reasons

PAGE = Page.read()
MODULES = sorted(path.relative_to(SOURCE).as_posix() for path in SOURCE.rglob("*.py"))


def test_it_is_as_the_command_writes_it() -> None:
    assert PATH.read_text("utf-8") == PAGE.text


def test_reasons_are_for_survivors() -> None:
    stale = [
        (name, mutant)
        for name, reasons in read_reasons().items()
        for mutant in reasons
        if name in PAGE.tallies and mutant not in PAGE.tallies[name].survivors
    ]
    assert stale == []


@pytest.mark.parametrize("name", MODULES)
def test_every_module_is_there(name: str) -> None:
    row = f"| `{name}` |"
    assert row in PAGE.text


def test_a_tally_has_a_row() -> None:
    tally = Tally()
    for killer in ["a test", "another", "", "", "one more", "ended by SIGPROF"]:
        tally.add("a -> b", killer)
    assert tally.row("x", {}) == "| x | 6 | 4 | 2 | 0 | 66.7 % |"
    assert tally.row("x", {"a -> b": "the same"}) == "| x | 6 | 4 | 2 | 2 | 66.7 % |"
    assert Tally().row("x", {}) == "| x | 0 | 0 | 0 | 0 | — |"
