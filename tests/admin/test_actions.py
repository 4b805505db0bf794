"""Buttons of the application: what is registered, and what a page may send."""

import math

import pytest

from trio_sio.admin.actions import Action, ActionTable, BadArguments, Value


async def nothing(socket: object, **arguments: object) -> None: ...


def button(label: str = "Do it", **arguments: Value) -> Action:
    return Action(label, nothing, "", False, arguments)


def test_defaults_stand_in_for_what_is_not_given() -> None:
    action = button(flag=False, count=3, rate=0.5, text="a")
    expected = {"flag": False, "count": 3, "rate": 0.5, "text": "a"}
    assert action.checked({}) == expected
    given: dict[str, Value] = {"flag": True, "count": 4, "rate": 2, "text": "b"}
    assert action.checked(given) == given
    assert type(action.checked({"rate": 2})["rate"]) is float


@pytest.mark.parametrize(
    ("default", "value"),
    [
        *((False, 1), (False, "true"), (1, True), (1, 1.0), (1, "1"), (1, None), (1, 2**60)),
        *((1.0, True), (1.0, math.nan), (1.0, math.inf), (1.0, 10**400), (1.0, "1")),
        *(("", 1), ("", None), ("", ["x"]), ("", "x" * 1001)),
    ],
)
def test_other_kinds_are_refused(default: Value, value: object) -> None:
    with pytest.raises(BadArguments, match="x has to be like"):
        button(x=default).checked({"x": value})


@pytest.mark.parametrize("given", [[], "x", 1, None])
def test_arguments_are_an_object(given: object) -> None:
    with pytest.raises(BadArguments, match="have to be an object"):
        button().checked(given)


def test_unknown_arguments_are_refused() -> None:
    with pytest.raises(BadArguments, match="no such argument"):
        button(x=1).checked({"y": 1})


def test_a_row_says_which_fields_there_are() -> None:
    action = Action("Flood", nothing, "Sends.", True, {"count": 3, "fast": True})
    assert action.row() == {
        "label": "Flood",
        "description": "Sends.",
        "danger": True,
        "arguments": [
            {"name": "count", "value": 3, "kind": "integer"},
            {"name": "fast", "value": True, "kind": "boolean"},
        ],
    }


def test_the_table() -> None:
    table = ActionTable()
    table.add(button("One"))
    table.add(button("Two"))
    assert [one["label"] for one in table.rows()] == ["One", "Two"]
    assert table.get("One") is not None
    assert table.get("Three") is None
    assert table.get(["One"]) is None
    with pytest.raises(ValueError, match="already"):
        table.add(button("One"))


@pytest.mark.parametrize(
    ("action", "problem"),
    [
        (button(""), "needs a label"),
        (Action(1, nothing, "", False, {}), "needs a label"),  # type: ignore[arg-type]
        (Action("x", 1, "", False, {}), "must be a function"),  # type: ignore[arg-type]
        (button(x=[]), "must be a bool, int, float or str"),  # type: ignore[arg-type]
        (button(x=None), "must be a bool, int, float or str"),  # type: ignore[arg-type]
    ],
)
def test_mistakes_are_told_at_once(action: Action, problem: str) -> None:
    with pytest.raises(TypeError, match=problem):
        ActionTable().add(action)
