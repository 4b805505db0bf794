"""What the README says is true: its programs are the tested ones, its options exist, its links lead
somewhere, and every default is the one in the code."""

import re
from pathlib import Path

from trio_sio.options import ServerOptions

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
OPTIONS = README.partition("## Options")[2].partition("\n## ")[0]


def table_rows(text: str) -> list[list[str]]:
    rows = re.findall(r"^\| (.*) \|$", text, re.MULTILINE)
    return [[cell.strip() for cell in row.split(" | ")] for row in rows[1:] if "---" not in row]


def test_programs_are_those_of_the_examples() -> None:
    quoted = re.findall(r"<!-- (examples/\S+) -->\n```python\n(.*?)```", README, re.DOTALL)
    assert quoted
    for name, program in quoted:
        assert (ROOT / name).read_text() == program
    assert README.count("```python") == len(quoted)


def test_links_lead_somewhere() -> None:
    targets = re.findall(r"\]\((?!https?:)([^)#]+)\)", README)
    assert len(targets) > 5
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_every_example_is_in_the_guide() -> None:
    named = set(re.findall(r"\]\(examples/(\w+\.py)\)", README))
    there = {path.name for path in (ROOT / "examples").glob("*.py")} - {"__init__.py", "demo.py"}
    assert named == there


def test_every_option_has_a_row() -> None:
    named = [name for row in table_rows(OPTIONS) for name in re.findall(r"`(\w+)`", row[0])]
    assert sorted(named) == sorted(ServerOptions.declarations())


def test_defaults_are_those_of_the_code() -> None:
    options = ServerOptions()
    for row in table_rows(OPTIONS):
        names = re.findall(r"`(\w+)`", row[0])
        shown = row[1].replace(",000", "000").replace(",000", "000").split(", ")
        for name, text in zip(names, shown, strict=False):
            value = getattr(options, name)
            literal = text.strip("`")
            if re.fullmatch(r"\d+", literal):
                assert value == int(literal), name
            elif literal == "8 MiB":
                assert value == 8 * 2**20
            elif literal in ("True", "False"):
                assert value is (literal == "True"), name
            elif literal.startswith('"'):
                assert value == literal.strip('"'), name


def test_commands_name_modules_that_exist() -> None:
    modules = set(re.findall(r"python3? -m ([\w.]+)", README))
    assert {"examples.demo", "tests", "benchmarks"} <= modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
