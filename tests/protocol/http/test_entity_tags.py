"""Entity tags in lists."""

import pytest
from hypothesis import given, strategies as st

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


OPAQUE = st.text("abcd,* !", max_size=3)
TAGS = st.tuples(st.sampled_from(["", "W/"]), OPAQUE.map(lambda tag: f'"{tag}"'))


@given(st.lists(TAGS, max_size=5), TAGS, st.sampled_from([", ", ",", " , "]), st.booleans())
def test_a_tag_is_there_or_is_not(
    tags: list[tuple[str, str]], wanted: tuple[str, str], sign: str, is_one_field: bool
) -> None:
    tags = [(weak, tag.replace(" ", "")) for weak, tag in tags]
    wanted = (wanted[0], wanted[1].replace(" ", ""))
    each = ["".join(tag) for tag in tags]
    values = [sign.join(each)] if is_one_field else each
    assert has_tag(values, "".join(wanted)) == any(tag == wanted[1] for _, tag in tags)
    strong = any(not weak and tag == wanted[1] for weak, tag in tags)
    assert has_tag(values, "".join(wanted), strongly=True) == strong
    assert has_tag(["*"], "".join(wanted), strongly=True)
