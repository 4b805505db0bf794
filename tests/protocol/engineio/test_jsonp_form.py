r"""A form is read as the reference reads it, and fast, whatever it consists of."""

import re
import sys
import tracemalloc
from urllib.parse import parse_qs, quote, quote_plus, unquote_to_bytes

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from trio_sio.protocol.engineio import jsonp_form
from trio_sio.protocol.engineio.codec_v3 import decode_jsonp_payload
from trio_sio.protocol.engineio.jsonp_form import (
    MAX_FORM_FIELDS,
    decode_jsonp_form,
    encode_jsonp_form,
    unquote_plus,
)
from trio_sio.protocol.errors import RemoteProtocolError

awkward = st.lists(
    st.sampled_from([b"%", b"%2", b"%25", b"%3D", b"=", b"+", b"%0A", b"\n", b"\r\n", b"%e2%82%AC"])
    | st.sampled_from([b"%5C", b"\\", b"n", b"d=", b"a", b" ", b"\t ", b"_", b"%G1", b"%zz"])
    | st.binary(max_size=3)
).map(b"".join)


def reference(text: str) -> str:
    """What engine.io does with the field, by regular expressions as there."""
    text = re.sub(r"(\\)?\\n", lambda m: m[0] if m[1] else "\n", text)
    return text.replace(r"\\n", r"\n")


@given(st.text(st.sampled_from("\\na é\U0001f600+%&=")))
def test_what_a_client_posts_is_read(text: str) -> None:
    r"""But for `\` in front of LF, which the client spells as it spells `\n`."""
    form = encode_jsonp_form(text.encode())
    assert form.startswith(b"d=")
    assert decode_jsonp_form(form) == text.replace("\\\n", r"\n")


@given(awkward)
@example(b"%%32%32")
@example(b"==0A=")
@example(b"%\n%\r\nx")
@example(b"a%")
def test_escapes(data: bytes) -> None:
    assert unquote_plus(data, 0, len(data)) == unquote_to_bytes(data.replace(b"+", b" "))


@given(awkward, st.integers(3, 9))
def test_blocks_divide_no_escape(data: bytes, block: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jsonp_form, "BLOCK", block)
        whole = unquote_plus(data, 0, len(data))
    assert whole == unquote_to_bytes(data.replace(b"+", b" "))


@pytest.mark.slow
@given(
    st.text(st.sampled_from("\\n\nax€😀=&%+ ")) | st.text(), st.sampled_from([quote, quote_plus])
)
def test_newlines(text: str, escape: object) -> None:
    assert callable(escape)
    body = b"d=" + escape(text.encode("utf-8", "replace"), safe="").encode()
    text = text.encode("utf-8", "replace").decode()
    assert decode_jsonp_form(body) == reference(text)


@given(st.lists(st.tuples(st.sampled_from(["d", "%64", "dd", "", "D", "%6", "e"]), st.text("d=x"))))
@example([("d", "")])
def test_fields(fields: list[tuple[str, str]]) -> None:
    body = "&".join(name + "=" + value for name, value in fields)
    values = parse_qs(body, keep_blank_values=True).get("d", [])
    assert decode_jsonp_form(body.encode()) == (values[0] if len(values) == 1 else None)


@pytest.mark.parametrize("body", [b"", b"&", b"d=1&d=2", b"d&d", b"e=1", b"dd=1", b"=d"])
def test_without_a_single_field(body: bytes) -> None:
    assert decode_jsonp_form(body) is None
    assert list(decode_jsonp_payload(body)) == []


def test_a_field_without_a_value() -> None:
    assert decode_jsonp_form(b"d") == ""
    assert decode_jsonp_form(b"a=b&d") == ""


def test_too_many_fields() -> None:
    assert decode_jsonp_form(b"&" * (MAX_FORM_FIELDS - 2) + b"&d=1") == "1"
    with pytest.raises(RemoteProtocolError, match="over 100"):
        decode_jsonp_form(b"&" * MAX_FORM_FIELDS)


@pytest.mark.parametrize("piece", [b"%", b"%g", b"%1g", b"%a%"])
def test_too_many_percent_signs_that_begin_no_escape(piece: bytes) -> None:
    few = b"d=" + piece * 400 + b"."
    assert decode_jsonp_form(few) == few[2:].decode()
    with pytest.raises(RemoteProtocolError, match="without two digits"):
        decode_jsonp_form(b"d=" + piece * 2000)


KINDS = {
    "escapes": b"%22",
    "escapes and letters": b"a%22",
    "newlines": b"%5Cn",
    "escaped newlines": b"%5C%5Cn",
    "plus signs": b"+",
    "equals signs": b"=",
    "letters": b"a",
    "beyond ASCII": b"%E2%82%AC",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_calls_do_not_grow_with_the_body(kind: str) -> None:
    """All work on a block is C's: what is counted are calls, one for each block and a few more."""

    def calls(size: int) -> int:
        body = b"d=" + KINDS[kind] * (size // len(KINDS[kind]))
        counted = 0

        def count(frame: object, event: str, argument: object) -> None:
            nonlocal counted
            counted += 1

        sys.setprofile(count)
        try:
            decode_jsonp_form(body)
        finally:
            sys.setprofile(None)
        return counted

    assert calls(1_000_000) - calls(100_000) < 100


@pytest.mark.parametrize("kind", KINDS)
def test_memory(kind: str) -> None:
    body = b"d=" + KINDS[kind] * (4_000_000 // len(KINDS[kind]))
    tracemalloc.start()
    decode_jsonp_form(body)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 3.6 * len(body)


@examples(30)
@given(
    st.integers(MAX_FORM_FIELDS - 2, MAX_FORM_FIELDS + 1),
    st.integers(jsonp_form.MAX_LONE_PERCENTS - 1, jsonp_form.MAX_LONE_PERCENTS + 1),
)
def test_fields_and_lone_percents_are_counted(fields: int, percents: int) -> None:
    body = b"d=" + b"%" * percents + b"&e" * (fields - 1)
    found = attempt(RemoteProtocolError, decode_jsonp_form, body)
    if fields > MAX_FORM_FIELDS:
        assert str(found).startswith("parse error: a JSONP form has one field")
    elif percents > jsonp_form.MAX_LONE_PERCENTS:
        assert str(found).startswith("parse error: over 1000 times")
    else:
        assert found == "%" * percents
