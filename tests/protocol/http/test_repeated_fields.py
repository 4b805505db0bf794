"""Fields that come more than once."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.http import Headers
from trio_sio.protocol.http.repeated_fields import combine

# What Node.js 20 makes of two fields of that name, in `message.headers`.
FIRST = [
    *("Age", "Authorization", "Content-Type", "ETag", "Expires", "From", "If-Modified-Since"),
    *("If-Unmodified-Since", "Last-Modified", "Location", "Max-Forwards", "Proxy-Authorization"),
    *("Referer", "Retry-After", "Server", "User-Agent", "Host", "Content-Length"),
]
LISTS = ["Accept", "X-Forwarded-For", "Origin", "Date", "Upgrade", "X-Y", "Sec-WebSocket-Protocol"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *((name, "1") for name in FIRST),
        *((name, "1, 2, 3") for name in LISTS),
        ("Cookie", "1; 2; 3"),
    ],
)
def test_fields_that_come_again_are_read_each_by_its_rule(name: str, value: str) -> None:
    headers = Headers([(name, "1"), ("X", "x"), (name.upper(), "2"), (name.lower(), "3")])
    assert headers.get(name) == headers[name.lower()] == headers.get(name.upper()) == value
    assert combine(name.lower(), ["1", "2", "3"]) == value
    assert combine(name.lower(), ["1"]) == "1"
    assert headers.get_all(name) == ["1", "2", "3"]


@given(
    st.sampled_from([*FIRST, *LISTS, "Cookie"]) | st.text("abc-", min_size=1),
    st.lists(st.text("abc;= "), min_size=1, max_size=4),
)
def test_the_first_value_or_all_of_them(name: str, values: list[str]) -> None:
    combined = combine(name.lower(), values)
    if name in FIRST:
        assert combined == values[0]
    else:
        assert combined.split("; " if name == "Cookie" else ", ") == [
            part for one in values for part in one.split("; " if name == "Cookie" else ", ")
        ]
