"""`python3 -m benchmarks.scrapes` measures what it says."""

import re

import pytest

from benchmarks import scrapes


def test_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    scrapes.main(["--clients", "0", "3", "--namespaces", "2"])
    head, line, *rows = capsys.readouterr().out.splitlines()
    assert head.count("|") == line.count("|") == 6
    assert len(rows) == 2
    for clients, row in zip("03", rows, strict=True):
        figures = r"\d+\.\d ms \| \d+\.\d kB \| \d+\.\d kB"
        assert re.fullmatch(rf"\| {clients} \| 2 \| {figures} \|", row), row
