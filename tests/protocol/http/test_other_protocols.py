"""Bytes that are not HTTP/1: which protocol they are of."""

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.http.other_protocols import explain

KNOWN = [
    (b"\x16\x03\x01\x02\x00\x01", "https://"),
    (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n", "'proxy_protocol'"),
    (b"PROXY UNKNOWN\r\n", "'proxy_protocol'"),
    (b"\0\r\nQUIT\n\x21\x11\x00\x0c", "'proxy_protocol'"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "speak HTTP/1.1"),
]


@pytest.mark.parametrize(("data", "cure"), KNOWN)
def test_known(data: bytes, cure: str) -> None:
    assert cure in explain(data)


@pytest.mark.parametrize("data", [b"", b"\x16", b"\x15\x03", b"GET / HTTP/1.1\r\n", b"PROX", b"\0"])
def test_unknown(data: bytes) -> None:
    assert explain(data) == ""


@given(st.sampled_from([known for known, _ in KNOWN]), st.integers(0, 30), st.binary(max_size=20))
def test_the_beginning_decides(known: bytes, size: int, rest: bytes) -> None:
    text = explain(known[:size] + rest)
    begins = [b"\x16\x03", b"PROXY ", b"\x00\r\nQUIT\n", b"PRI * HTTP/2.0\r\n"]
    assert bool(text) == any((known[:size] + rest).startswith(one) for one in begins)
    if size == len(known):
        assert text == explain(known)
