"""Mutants are what Cosmic Ray makes of a module, without what changes nothing."""

from pathlib import Path

import pytest

from tools.mutation.mutants import Module

SOURCE = '''"""Numbers."""

LIMIT = 10


def fits(number: int | None, limit: int = LIMIT) -> bool:
    if not number:
        return True
    return number <= limit and isinstance(number, int | float)
'''


@pytest.fixture
def module(tmp_path: Path) -> Module:
    path = tmp_path / "numbers.py"
    path.write_text(SOURCE, "utf-8")
    return Module(path)


def test_each_changes_one_place(module: Module) -> None:
    found = {(mutant.line, mutant.operator, mutant.key) for mutant in module.mutants}
    line = "return number <= limit and isinstance(number, int | float)"
    assert (3, "NumberReplacer", "LIMIT = 10 -> LIMIT = 11") in found
    assert (3, "NumberReplacer", "LIMIT = 10 -> LIMIT = 9") in found
    for operator, change in [
        ("ReplaceAndWithOr", line.replace("and", "or")),
        ("ReplaceComparisonOperator_LtE_Lt", line.replace("<=", "<")),
    ]:
        assert (9, operator, f"{line} -> {change}") in found
    for mutant in module.mutants:
        assert mutant.source != SOURCE
        compile(mutant.source, "", "exec")


def test_types_are_left_alone(module: Module) -> None:
    assert not [one for one in module.mutants if "int & " in one.after or "int - " in one.after]


def test_what_means_the_same_comes_once(module: Module) -> None:
    """`not not x` and `x` are one condition, and so are `x` and `not x` with the `not` deleted."""
    assert len([one for one in module.mutants if one.line == 7]) == 1
    sources = [one.source for one in module.mutants]
    assert len(sources) == len(set(sources))
