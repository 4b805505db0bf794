"""Nothing is shielded from cancellation without a deadline. Reads the source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "trio_sio"
LIMITED = {"move_on_after", "move_on_at", "fail_after", "fail_at"}
"""Of these the first argument is the limit."""

ALLOWED = {
    "router/adapter_life.py": ["a shield that is put up later"],
    "asgi/lifespan.py": ["a shield without a deadline"],
    "engine/neighbour.py": ["a shield without a deadline"],
}
"""By file. An ASGI application and a neighbour get their deadline once they are to end, from the
`finally` around them (`tests/asgi/test_lifespan.py`, `tests/engine/test_neighbour.py`). Adapters'
tasks are shielded until the last client has left, who has deadlines:
`tests/router/test_adapter_life.py::test_it_outlives_no_client`."""


def problems(source: str) -> Iterator[str]:
    """Every place that may hold up a cancelled server for ever."""
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(keywords=keywords) if _shields(keywords) and not _is_limited(node):
                yield f"line {node.lineno}: a shield without a deadline"
            case ast.Assign(targets=[ast.Attribute(attr="shield")]):
                yield f"line {node.lineno}: a shield that is put up later"


def _shields(keywords: list[ast.keyword]) -> bool:
    """Whether one of them is `shield`, unless it is plainly `False`."""
    return any(
        keyword.arg == "shield"
        and not (isinstance(keyword.value, ast.Constant) and keyword.value.value is False)
        for keyword in keywords
    )


def _is_limited(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    limits = [keyword.value for keyword in call.keywords if keyword.arg in ("deadline", "seconds")]
    if name in LIMITED:
        limits += call.args
    return bool(limits) and not any("inf" in ast.unparse(limit) for limit in limits)


FILES = sorted(ROOT.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_shield_has_a_deadline(path: Path) -> None:
    found = [problem.partition(": ")[2] for problem in problems(path.read_text("utf-8"))]
    assert found == ALLOWED.get(path.relative_to(ROOT).as_posix(), [])


def test_there_are_shields_to_look_at() -> None:
    source = "".join(path.read_text("utf-8") for path in FILES)
    assert "shield=True" in source


@pytest.mark.parametrize(
    "source",
    [
        "trio.CancelScope(shield=True, deadline=trio.current_time() + grace)",
        "trio.move_on_after(5, shield=True)",
        "trio.fail_at(limit, shield=True)",
        "trio.CancelScope(shield=False)",
        "trio.CancelScope()",
    ],
)
def test_the_checker_lets_pass(source: str) -> None:
    assert list(problems(source)) == []


@pytest.mark.parametrize(
    "source",
    [
        "trio.CancelScope(shield=True)",
        "CancelScope(shield=True)",
        "trio.CancelScope(shield=wanted)",
        "trio.CancelScope(shield=True, deadline=math.inf)",
        "trio.move_on_after(float('inf'), shield=True)",
        "trio.move_on_after(shield=True)",
        "scope.shield = True",
        "with trio.CancelScope(shield=True):\n    await stream.aclose()",
    ],
)
def test_the_checker_catches(source: str) -> None:
    assert len(list(problems(source))) == 1
