"""Lists in header fields, as RFC 9110, 5.6.1, has them."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.http.field_list import elements, has_element


@pytest.mark.parametrize(
    ("values", "parts"),
    [
        ([], []),
        ([""], []),
        (["a"], ["a"]),
        (["a, b"], ["a", "b"]),
        (["a,b ,\tc"], ["a", "b", "c"]),
        (["a", "b,c"], ["a", "b", "c"]),
        ([", a,, b ,", ",", " "], ["a", "b"]),
        (["a b"], ["a b"]),
        (["a\xa0,b"], ["a\xa0", "b"]),  # a space to Python, but not to HTTP
    ],
)
def test_elements(values: list[str], parts: list[str]) -> None:
    assert elements(values) == parts


@pytest.mark.parametrize(
    ("value", "has"),
    [
        ("upgrade", True),
        ("UpGrade", True),
        ("keep-alive , Upgrade", True),
        (",upgrade,", True),
        ("xupgradey", False),
        ("upgrade-insecure-requests", False),
        ("up grade", False),
        ("upgrade; q=1", False),
        ('"upgrade"', False),
        ("upgrade\xa0", False),
        ("", False),
    ],
)
def test_an_element_is_a_whole_one(value: str, has: bool) -> None:
    assert has_element([value], "upgrade") is has


TOKENS = st.text("abcXYZ!#-", min_size=1, max_size=5)


@given(
    st.lists(TOKENS, max_size=6),
    st.data(),
)
def test_however_it_is_spread_and_padded(tokens: list[str], data: st.DataObject) -> None:
    padding = st.text(" \t,", max_size=3)
    values, current = [], data.draw(padding)
    for token in tokens:
        current += token + data.draw(padding)
        if data.draw(st.booleans()):
            values.append(current)
            current = ""
        else:
            current += ","
    values.append(current)
    assert elements(values) == tokens
    assert all(has_element(values, token.lower()) for token in tokens)
