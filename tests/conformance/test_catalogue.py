"""All checks are there, each under a name of its own, and say what holds."""

import re
from pathlib import Path

from tests.support.seeded_faults import FAULTS, JAVASCRIPT_FAULTS
from tests.support.seeded_faults_5 import FAULTS_5, JAVASCRIPT_FAULTS_5
from trio_sio.conformance import checks
from trio_sio.conformance.catalogue import AREAS, AREAS_5, CHECKS, checks_of
from trio_sio.conformance.checks import protocol_5

SEEDED = (*FAULTS, *JAVASCRIPT_FAULTS, *FAULTS_5, *JAVASCRIPT_FAULTS_5)
PAGE = (Path(__file__).parents[2] / "docs" / "conformance.md").read_text("utf-8")


def test_each_area_is_in_the_catalogue() -> None:
    for package, areas in ((checks, AREAS), (protocol_5, AREAS_5)):
        described = (package.__doc__ or "").split("\n\n", 1)[1].splitlines()
        names = [line.split()[0] for line in described]
        assert [area.name for area in areas] == [one for one in names if one != "protocol_5"]


def test_names_are_unique() -> None:
    names = [check.name for check in CHECKS]
    assert len(names) == len(set(names))


def test_each_check_says_what_holds() -> None:
    assert [one.name for one in CHECKS if not one.sentence.endswith(".")] == []
    areas = {area.name for area in (*AREAS, *AREAS_5)}
    assert {one.name.partition("/")[0] for one in CHECKS} == areas


def test_each_protocol_has_its_checks() -> None:
    old, new = ({check.name for check in checks_of(protocol)} for protocol in (4, 5))
    assert "payloads/binary-data[polling]" in old & new
    assert "payloads/binary-data[polling-jsonp]" in old - new
    assert "payloads/lengths-count-utf-16-code-units" in old - new
    assert "handshake/open-is-alone" in new - old
    assert new - old >= {check.name for area in AREAS_5 for check in area}
    assert old | new == {check.name for check in CHECKS}


def test_the_page_lists_the_faults_that_are_found() -> None:
    text = PAGE.partition("## What the checks find")[2].partition("\n## ")[0]
    listed = re.findall(r"^\| (.+) \| `(.+)` \|$", text, re.MULTILINE)
    assert listed == [(one.what, one.check) for one in SEEDED]


def test_each_area_has_a_fault_of_ours_that_is_found() -> None:
    assert {one.check.partition("/")[0] for one in FAULTS} == {area.name for area in AREAS}
    of_5 = {one.check.partition("/")[0] for one in FAULTS_5}
    assert of_5 >= {area.name for area in AREAS_5}
    for one in SEEDED:
        assert one.check in {check.name for check in checks_of(one.protocol)}
