"""Each difference belongs to a check, and the page lists all of them."""

import re
from pathlib import Path

import pytest

from trio_sio.conformance.catalogue import CHECKS
from trio_sio.conformance.differences import DIFFERENCES

PAGE = Path(__file__).parents[2] / "docs" / "conformance.md"


@pytest.mark.parametrize("server", DIFFERENCES)
def test_each_is_one_of_a_check(server: str) -> None:
    assert DIFFERENCES[server]
    assert DIFFERENCES[server].keys() <= {check.name for check in CHECKS}


@pytest.mark.parametrize("server", DIFFERENCES)
def test_the_page_lists_them(server: str) -> None:
    section = PAGE.read_text("utf-8").partition("## Known differences")[2].partition("\n## ")[0]
    table = section.partition(f"### {server}\n")[2].partition("\n### ")[0]
    listed = {
        (name, reason)
        for reason, names in re.findall(r"^\| (.+) \| (`.+) \|$", table, re.MULTILINE)
        for name in re.findall(r"`([^`]+)`", names)
    }
    assert listed == set(DIFFERENCES[server].items())
