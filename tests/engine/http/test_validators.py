"""Conditional requests, by the comparison of RFC 9110."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.engine.http.static_files import has_current
from trio_sio.http import Headers, Request

ETAG = '"2.5.0"'


def asking(*fields: str, method: str = "GET", name: str = "If-None-Match") -> Request:
    return Request(method, "/", Headers([(name, value) for value in fields]))


@pytest.mark.parametrize(
    ("fields", "current"),
    [
        ([ETAG], True),
        (["W/" + ETAG], True),
        (["*"], True),
        ([" * "], True),
        (['"a", ' + ETAG], True),
        (['"a",W/' + ETAG + ',"b"'], True),
        (['"a"', ETAG], True),  # two lines are one list
        ([', ,"a" ,,  ' + ETAG], True),
        ([], False),
        ([""], False),
        (['"x"'], False),
        (["2.5.0"], False),
        (["'2.5.0'"], False),
        (['"2.5.0'], False),
        (['"W/2.5.0"'], False),
        (['"*"'], False),
        (['"a, 2.5.0"'], False),
        (['"2.5.0 "'], False),
    ],
)
@pytest.mark.parametrize("etag", [ETAG, "W/" + ETAG])
def test_if_none_match(fields: list[str], current: bool, etag: str) -> None:
    assert has_current(asking(*fields), etag) is current
    assert has_current(asking(*fields, method="HEAD"), etag) is current


@pytest.mark.parametrize("method", ["POST", "OPTIONS", "PUT"])
def test_what_does_not_ask_for_the_file_is_not_conditional(method: str) -> None:
    assert not has_current(asking(ETAG, method=method), ETAG)


def test_without_a_date_of_its_own_a_file_is_not_compared_by_date() -> None:
    field = "If-Modified-Since"
    assert not has_current(asking("Sun, 06 Nov 2094 08:49:37 GMT", name=field), ETAG)


tags = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'))


@given(st.lists(st.tuples(st.sampled_from(["", "W/"]), tags), max_size=4), tags)
def test_a_list_has_exactly_its_members(members: list[tuple[str, str]], tag: str) -> None:
    field = ", ".join(f'{weak}"{member}"' for weak, member in members)
    there = tag in [member for _, member in members]
    assert has_current(asking(field), f'"{tag}"') is there


@given(st.text(st.characters(max_codepoint=255), max_size=20))
def test_no_field_is_an_error(field: str) -> None:
    assert has_current(asking(field), ETAG) in (True, False)
