"""Entity tags in lists."""

import pytest

from trio_sio.protocol.http.entity_tags import has_tag


@pytest.mark.parametrize(
    ("values", "weakly", "strongly"),
    [
        ([], False, False),
        (["*"], True, True),
        ([" * "], True, True),
        (['"a"'], True, True),
        (['W/"a"'], True, False),
        (['"b", "a"'], True, True),
        (['"b"', 'W/"a"'], True, False),
        (['"b,a"'], False, False),
        (["a"], False, False),
    ],
)
def test_lists(values: list[str], weakly: bool, strongly: bool) -> None:
    assert has_tag(values, '"a"') is has_tag(values, 'W/"a"') is weakly
    assert has_tag(values, '"a"', strongly=True) is strongly
