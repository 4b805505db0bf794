"""The chapter for users, done as it is written: its files, its commands, and what they say."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from docs.programs import QUOTED, ROOT
from tests.examples.fresh import build_wheel, environment_for

pytestmark = pytest.mark.slow

FOLDER = ROOT / "docs" / "testing"
PAGES = [path.read_text("utf-8") for path in FOLDER.glob("*.md")]
CHAPTER = (FOLDER / "your-application.md").read_text("utf-8")
BLOCK = re.compile(r"(?:<!-- (\S+) -->\n)?```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
END = "the command has ended with"


class Step(NamedTuple):
    """A file to write, or commands to run and the lines that they print."""

    file: str
    text: str
    shown: list[str]


def steps(chapter: str) -> Iterator[Step]:
    blocks = [match.groups() for match in BLOCK.finditer(chapter)]
    for number, (file, language, text) in enumerate(blocks):
        if file is not None:
            yield Step(Path(file).name, text, [])
        elif language == "sh":
            _, following, shown = blocks[number + 1] if number + 1 < len(blocks) else ("", "", "")
            yield Step("", text, shown.splitlines() if following == "text" else [])
        else:
            assert language == "text"


def pattern(line: str) -> str:
    return r"[^\n]*".join(map(re.escape, line.split("…")))


def check_said(said: str, shown: list[str]) -> None:
    """What is shown was printed, in that order."""
    wanted = r"\n(?:.*\n)?".join(map(pattern, shown))
    assert re.search(f"^{wanted}", said, re.MULTILINE | re.DOTALL), said


def test_the_chapter(tmp_path: Path) -> None:
    """In one shell, whose environment the commands change."""
    project, wheels = tmp_path / "project", tmp_path / "wheels"
    project.mkdir()
    wheel = build_wheel(wheels)
    environment = environment_for(wheel)
    with subprocess.Popen(
        ["bash"],
        cwd=project,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as shell:
        runs = [take(step, project, shell) for step in steps(CHAPTER)]
    assert runs.count(None) == 10  # files
    installed = next(said for said in runs if said is not None)
    assert wheel.name in installed
    assert str(wheels) in installed
    run_other_examples(project, environment)


def run_other_examples(project: Path, environment: dict[str, str]) -> None:
    """The extra brings what the other pages import, too."""
    shown = {match[1] for text in PAGES for match in QUOTED.finditer(text)}
    names = sorted(name for name in shown if Path(name).parent == Path("examples"))
    assert "examples/testing_a_cluster.py" in names
    for name in names:
        shutil.copy(ROOT / name, project)
    subprocess.run(
        [project / ".venv" / "bin" / "pytest", "-q", *(Path(name).name for name in names)],
        check=True,
        cwd=project,
        env=environment,
        timeout=300,
    )


def take(step: Step, project: Path, shell: "subprocess.Popen[str]") -> str | None:
    """Write the file, or run the commands; return what was said."""
    if step.file:
        (project / step.file).write_text(step.text, "utf-8")
        return None
    said, status = run(step.text, shell)
    is_to_fail = any("failed" in line or line.startswith("E ") for line in step.shown)
    assert (status != 0) is is_to_fail, said
    check_said(said, step.shown)
    return said


def run(commands: str, shell: "subprocess.Popen[str]") -> tuple[str, int]:
    assert shell.stdin is not None
    assert shell.stdout is not None
    shell.stdin.write(f'{commands}echo "{END} $?"\n')
    shell.stdin.flush()
    said = ""
    for line in shell.stdout:
        if line.startswith(END):
            return said, int(line.split()[-1])
        said += line
    raise AssertionError(f"the shell has ended: {said}")


def test_what_is_shown_has_to_be_printed_in_its_order() -> None:
    check_said("x\na 1\nb\nc\n", ["a …", "c"])
    with pytest.raises(AssertionError):
        check_said("c\na 1\n", ["a …", "c"])
