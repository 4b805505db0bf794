"""`python3 -m tests`: which steps it has, and how they are run."""

import sys
import threading
from functools import partial

import pytest

from tests import __main__ as command
from tests.__main__ import _Step as Step
from tools import second_try, setup_machine

QUICK_CHECKS = ["ruff-check", "ruff-format", "mypy"]
CHECKS = [*QUICK_CHECKS, "mkdocs", "bytecode"]
SERVERS = ["redis", "nginx", "haproxy", "caddy", "apache", "prometheus"]
PEERS = ["client", "node", "python-socketio-5", "chromium", *SERVERS]


def steps(*argv: str) -> list[str]:
    """The names of the steps, without the first, which all others need."""
    first, *others = command._steps(command._parse(argv))
    assert first.name == "environment"
    return [step.name for step in others]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ([], [*PEERS, *CHECKS, "pytest", "pytest-alone"]),
        (["--long"], [*PEERS, *CHECKS, "pytest", "pytest-alone"]),
        (["--quick"], [*QUICK_CHECKS, "pytest"]),
        (
            ["--without", "node"],
            ["python-socketio-5", *SERVERS, *CHECKS, "pytest", "pytest-alone"],
        ),
        (
            ["--without", "chromium"],
            ["client", "node", "python-socketio-5", *SERVERS, *CHECKS, "pytest", "pytest-alone"],
        ),
        (
            ["--without", "redis", "--without", "nginx"],
            [*PEERS[:4], *SERVERS[2:], *CHECKS, "pytest", "pytest-alone"],
        ),
        (["--only", "mypy"], ["mypy"]),
        (["--only", "pytest", "--only", "ruff-check"], ["ruff-check", "pytest"]),
        (["--", "tests/engine", "-x"], [*PEERS, *CHECKS, "pytest"]),
        (["--only", "pytest", "--", "tests/engine"], ["pytest"]),
        (["--quick", "--folder", "x"], [*QUICK_CHECKS, "pytest", "official-suites"]),
        (["--only", "official-suites", "--folder", "x"], ["official-suites"]),
        (["--only", "official-suites"], []),
    ],
)
def test_steps(argv: list[str], expected: list[str]) -> None:
    assert steps(*argv) == expected


def test_all_steps_can_be_asked_for() -> None:
    assert list(command._STEPS) == steps()
    assert [steps("--only", name) for name in steps()] == [[name] for name in steps()]


@pytest.mark.parametrize("argv", [["--only", "tests"], ["--quick", "--long"], ["--fast"]])
def test_what_is_no_option(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        command._parse(argv)
    assert caught.value.code == 2
    assert "error:" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--quick"], ["--without", "node"]])
def test_a_step_that_is_asked_for_and_left_out(
    argv: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert command.main([*argv, "--only", "node"]) == 2
    assert capsys.readouterr().out == "left out by the other options: node\n"


# -- how they are run --------------------------------------------------------------------------


def printing(text: str, code: int = 0) -> partial[None]:
    """A step that prints, by a process as all of them do."""
    program = f"import sys; print({text!r}, file=sys.stderr); sys.exit({code})"
    return partial(setup_machine.run, [sys.executable, "-c", program])


def test_lanes_are_run_side_by_side(capfd: pytest.CaptureFixture[str]) -> None:
    """Each waits for the other; what they print stays together, and comes when they have ended."""
    first, second = threading.Event(), threading.Event()

    def meet(mine: threading.Event, other: threading.Event, text: str) -> None:
        mine.set()
        assert other.wait(60), "nothing is done beside it"
        printing(text)()

    steps = [
        Step("one", partial(meet, first, second, "said by one"), lane="a"),
        Step("two", partial(meet, second, first, "said by two"), lane="b"),
        Step("three", printing("said by three", 3), lane="b"),
        Step("four", printing("said by four")),
    ]
    results = list(command._run(steps))
    assert [result.name for result in results] == ["one", "two", "three", "four"]
    assert [bool(result.error) for result in results] == [False, False, True, False]
    said = capfd.readouterr()
    for word in ("one", "two", "three"):
        assert f"\n--- {word}\nsaid by {word}\n" in said.out
    assert said.out.index("--- two") < said.out.index("--- three") < said.out.index("--- four")
    assert "ended with exit code 3" in said.out
    assert said.err == "said by four\n"  # it has the terminal for itself


def test_nothing_is_run_without_what_all_need(capfd: pytest.CaptureFixture[str]) -> None:
    steps = [Step("first", printing("no", 1), needed_by_all=True), Step("next", printing("x"))]
    assert [result.name for result in command._run(steps)] == ["first"]


@pytest.mark.parametrize("wanted", ["", "1"])
def test_bytecode_is_kept_outside_the_tree_if_it_may_not_be_in_it(
    wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[dict[str, str]] = []
    monkeypatch.setattr(setup_machine, "run", lambda command, env: seen.append(env))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", wanted)
    monkeypatch.delenv("PYTHONPYCACHEPREFIX", raising=False)
    command._python("pytest")
    ((environment),) = seen
    assert "PYTHONDONTWRITEBYTECODE" not in environment
    kept = str(command._ENVIRONMENT / "bytecode")
    assert environment.get("PYTHONPYCACHEPREFIX") == (kept if wanted else None)


def test_the_summary_says_what_a_step_says_of_itself(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    steps = [Step("one", lambda: "ok, but late"), Step("two", printing("x"))]
    monkeypatch.setattr(command, "_steps", lambda options: steps)
    assert command.main([]) == 0
    *_, one, two, last = capfd.readouterr().out.splitlines()
    assert one.endswith("one                  ok, but late")
    assert two.endswith("two                  ok")
    assert last == "everything passed"


@pytest.mark.parametrize("name", ["pytest", "pytest-alone"])
def test_a_few_tests_that_fail_are_run_again(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    monkeypatch.setattr(second_try, "run", lambda _, *arguments: calls.append(arguments))
    (step,) = [step for step in command._steps(command._parse([])) if step.name == name]
    step.run()
    (arguments,) = calls
    assert f"--alone={'only' if name == 'pytest-alone' else 'without'}" in arguments
