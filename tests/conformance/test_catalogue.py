"""All checks are there, each under a name of its own, and say what holds."""

import re
from pathlib import Path

from tests.support.seeded_faults import FAULTS, JAVASCRIPT_FAULTS
from trio_sio.conformance import checks
from trio_sio.conformance.catalogue import AREAS, CHECKS

PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")


def test_each_area_is_in_the_catalogue() -> None:
    described = (checks.__doc__ or "").split("\n\n", 1)[1].splitlines()
    assert [area.name for area in AREAS] == [line.split()[0] for line in described]


def test_names_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))


def test_each_check_says_what_holds() -> None:
    assert [one.name for one in CHECKS if not one.sentence.endswith(".")] == []
    assert all(one.name.partition("/")[0] in {area.name for area in AREAS} for one in CHECKS)


def test_the_page_lists_the_faults_that_are_found() -> None:
    text = PAGE.partition("## What the checks find")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (.+) \| `(.+)` \|$", text, re.MULTILINE)
    assert listed == [(one.what, one.check) for one in (*FAULTS, *JAVASCRIPT_FAULTS)]


def test_each_area_has_a_fault_of_ours_that_is_found() -> None:
    assert {one.check.partition("/")[0] for one in FAULTS} == {area.name for area in AREAS}
    assert {one.check for one in (*FAULTS, *JAVASCRIPT_FAULTS)} <= {one.name for one in CHECKS}
