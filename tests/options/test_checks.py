"""The checks of values, each by what it lets pass and what it says of the rest."""

from pathlib import Path

import pytest

from trio_sio.options import checks
from trio_sio.options.checks import Check

NAN, INFINITY = float("nan"), float("inf")

FRACTION = checks.number(above=0, at_most=1)
WORD = checks.word(["a", "b"])
WORDS = checks.words(["a", "b"])
COOKIE = checks.cookie_text(";,")

GOOD: list[tuple[Check, list[object]]] = [
    (FRACTION, [0.5, 1, 1e-9]),
    (checks.number(at_least=0), [0, INFINITY]),
    (checks.number(above=0, or_none=True), [None, 3]),
    (checks.count(), [1, 10**20]),
    (checks.count(or_none=True), [None, 1]),
    (checks.flag, [True, False]),
    (checks.flag_or_none, [True, False, None]),
    (WORD, ["a", "b"]),
    (WORDS, [["a"], ("b", "a"), {"a"}]),
    (checks.function, [None, print, int]),
    (checks.url_path, ["/", "/a/"]),
    (checks.flag_or_folder, [True, False, ".", Path("..")]),
    (checks.origins, ["*", "https://a", ["https://a"], print, ()]),
    (checks.field_names, ["*", "X-A", ["X-A", "X-B"], ()]),
    (COOKIE, [None, "a b"]),
    (checks.node_id, ["", "w3", "Node_3-a", "n" * 32]),
    (checks.parser, [None, "msgpack"]),
]

BAD: list[tuple[Check, object, type[Exception], str]] = [
    (FRACTION, 0, ValueError, "more than 0 and at most 1"),
    (FRACTION, 1.5, ValueError, "more than 0 and at most 1"),
    (FRACTION, NAN, ValueError, "more than 0 and at most 1"),
    (FRACTION, None, TypeError, "a number"),
    (FRACTION, True, TypeError, "a number"),
    (checks.number(at_least=0), -1, ValueError, "at least 0"),
    (checks.number(or_none=True), "1", TypeError, "a number or None"),
    (checks.count(), 0, ValueError, "at least 1"),
    (checks.count(), 1.0, TypeError, "an int"),
    (checks.count(), True, TypeError, "an int"),
    (checks.count(), None, TypeError, "an int"),
    (checks.count(or_none=True), "1", TypeError, "an int or None"),
    (checks.flag, 1, TypeError, "True or False"),
    (checks.flag_or_none, 0, TypeError, "True, False or None"),
    (WORD, "c", ValueError, "one of 'a', 'b'"),
    (WORD, None, ValueError, "one of 'a', 'b'"),
    (WORDS, "a", ValueError, "a collection of 'a' and 'b'"),
    (WORDS, [], ValueError, "a collection of 'a' and 'b'"),
    (WORDS, ["a", []], ValueError, "a collection of 'a' and 'b'"),
    (WORDS, 5, ValueError, "a collection of 'a' and 'b'"),
    (checks.function, "print", TypeError, "callable or None"),
    (checks.url_path, "a", ValueError, "a path that begins with a slash"),
    (checks.flag_or_folder, None, TypeError, "True, False, '4' or the path of a folder"),
    (checks.origins, [b"a"], TypeError, "a str, a collection of str, or a function"),
    (
        *(checks.field_names, [5], TypeError),
        '"*", the name of a header field, or a collection of such names',
    ),
    (
        *(checks.field_names, "a b", ValueError),
        '"*", the name of a header field, or a collection of such names',
    ),
    (COOKIE, "a;b", ValueError, "printable ASCII without any of ';,', or None"),
    (COOKIE, "é", ValueError, "printable ASCII without any of ';,', or None"),
    (COOKIE, "", ValueError, "printable ASCII without any of ';,', or None"),
    (checks.node_id, None, TypeError, "a str"),
    *(
        (checks.node_id, bad, ValueError, "up to 32 letters of ASCII, digits, '_' and '-'")
        for bad in ("a.b", "é", "a b", "n" * 33, "a/b")
    ),
    (
        *(checks.parser, "json", TypeError),
        '"msgpack", an object with Encoder and Decoder, or None',
    ),
]


@pytest.mark.parametrize(("check", "values"), GOOD)
def test_good_values(check: Check, values: list[object]) -> None:
    for value in values:
        check("here", value)


@pytest.mark.parametrize(("check", "value", "error", "wanted"), BAD)
def test_bad_values(check: Check, value: object, error: type[Exception], wanted: str) -> None:
    with pytest.raises(error) as caught:
        check("here", value)
    assert str(caught.value) == f"option 'here' must be {wanted}, not {value!r}"
