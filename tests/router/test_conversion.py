"""Values become those of a type, and reasons for the log hold nothing of the client's."""

import enum
from dataclasses import dataclass
from typing import Annotated, Literal, TypedDict

import msgspec
import pytest

from trio_sio.router.conversion import WrongValue, check_type, convert

SECRET = "hunter2"


class Colour(enum.Enum):
    RED = "red"


@dataclass
class Picky:
    word: str

    def __post_init__(self) -> None:
        raise ValueError(f"not {self.word}")


class Closed(msgspec.Struct, forbid_unknown_fields=True):
    word: str = ""


class Row(TypedDict):
    words: list[str]


@pytest.mark.parametrize(
    ("value", "declared", "wanted"),
    [
        (1, float, 1.0),
        (1, int | None, 1),
        (None, int | None, None),
        (b"x", bytes, b"x"),
        ([1, 2], set[int], {1, 2}),
        ("red", Colour, Colour.RED),
        ({"any": [b"thing"]}, object, {"any": [b"thing"]}),
    ],
)
def test_values(value: object, declared: object, wanted: object) -> None:
    check_type(declared)
    converted = convert(value, declared)
    assert (converted, type(converted)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("value", "declared", "reason"),
    [
        ("1", int, "Expected `int`, got `str`"),
        (True, int, "Expected `int`, got `bool`"),
        (1, bool, "Expected `bool`, got `int`"),
        ("aGk=", bytes, "Expected `bytes`, got `str`"),
        (b"x", str, "Expected `str`, got `bytes`"),
        (10**400, float, "Number out of range"),
        ({"words": ["", 1]}, Row, "Expected `str`, got `int` - at `$.words[1]`"),
        ({}, Row, "Object missing required field `words`"),
        ("x", Annotated[str, msgspec.Meta(min_length=2)], "Expected `str` of length >= 2"),
        ("\ud800", Literal["a"], "Invalid value"),
    ],
)
def test_reasons(value: object, declared: object, reason: str) -> None:
    with pytest.raises(WrongValue) as caught:
        convert(value, declared)
    assert (caught.value.reason, caught.value.loggable) == (reason, reason)


@pytest.mark.parametrize(
    ("value", "declared", "loggable"),
    [
        ([SECRET], list[Literal["a", "b"]], "Invalid enum value - at `$[0]`"),
        (SECRET, Colour, "Invalid enum value"),
        ({"word": SECRET}, Picky, "Invalid value"),
        ({SECRET: 1}, Closed, "Object contains unknown field"),
        ({SECRET: 1}, dict[str, str], "Expected `str`, got `int` - at `$[...]`"),
        ({SECRET: 1}, dict[int, int], "Expected `int`, got `str` - at `key` in `$`"),
    ],
)
def test_the_log_does_not_see_values(value: object, declared: object, loggable: str) -> None:
    with pytest.raises(WrongValue) as caught:
        convert(value, declared)
    assert caught.value.loggable == loggable
    assert caught.value.__suppress_context__


def test_a_client_is_told_little() -> None:
    with pytest.raises(WrongValue) as caught:
        convert("x" * 1_000_000 + "\n", Literal["a"])
    assert len(caught.value.reason) < 300


@pytest.mark.parametrize("declared", [Exception, list[Exception], complex])
def test_types_that_no_client_can_send(declared: object) -> None:
    with pytest.raises(TypeError):
        check_type(declared)
