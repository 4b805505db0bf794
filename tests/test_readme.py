"""What the README says is true: its programs are the tested ones and its links lead somewhere."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()


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


def test_commands_name_modules_that_exist() -> None:
    modules = set(re.findall(r"python3? -m ([\w.]+)", README))
    assert {"examples.demo", "tests", "benchmarks"} <= modules
    for module in modules:
        path = ROOT / module.replace(".", "/")
        assert path.with_suffix(".py").exists() or (path / "__main__.py").exists()
