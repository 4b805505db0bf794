"""`python3 -m tests`: which steps it has."""

import pytest

from tests import __main__ as command

QUICK_CHECKS = ["ruff-check", "ruff-format", "mypy"]
CHECKS = [*QUICK_CHECKS, "mkdocs"]
SERVERS = ["redis", "nginx", "haproxy", "caddy", "apache", "prometheus"]
PEERS = ["client", "node", "chromium", *SERVERS]


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
        (["--without", "node"], [*SERVERS, *CHECKS, "pytest", "pytest-alone"]),
        (
            ["--without", "chromium"],
            ["client", "node", *SERVERS, *CHECKS, "pytest", "pytest-alone"],
        ),
        (
            ["--without", "redis", "--without", "nginx"],
            ["client", "node", "chromium", *SERVERS[2:], *CHECKS, "pytest", "pytest-alone"],
        ),
        (["--only", "mypy"], ["mypy"]),
        (["--only", "pytest", "--only", "ruff-check"], ["ruff-check", "pytest"]),
        (["--", "tests/engine", "-x"], [*PEERS, *CHECKS, "pytest"]),
        (["--only", "pytest", "--", "tests/engine"], ["pytest"]),
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
