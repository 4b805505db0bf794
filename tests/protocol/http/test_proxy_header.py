"""The header of the PROXY protocol: both versions, in any pieces, and what is none."""

from ipaddress import ip_address

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.http.proxy_header import (
    MAX_BLOCK,
    ProxiedPeer,
    ProxyHeaderError,
    read_header,
)

SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
V4 = bytes([203, 0, 113, 9, 10, 0, 0, 2, 0xC8, 0, 1, 0xBB])
V6 = ip_address("2001:db8::17").packed + ip_address("::1").packed + b"\xc8\x00\x01\xbb"


def block(kind: int, rest: bytes, first: int = 0x21) -> bytes:
    return SIGNATURE + bytes([first, kind]) + len(rest).to_bytes(2) + rest


HEADERS = [
    (b"PROXY TCP4 203.0.113.9 10.0.0.2 51200 443\r\n", ProxiedPeer("203.0.113.9", None, 51200)),
    (b"PROXY TCP6 2001:db8::17 ::1 51200 443\r\n", ProxiedPeer("2001:db8::17", None, 51200)),
    (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 51200 443\r\n", ProxiedPeer("203.0.113.9", None, 51200)),
    (b"PROXY UNKNOWN\r\n", ProxiedPeer(None)),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ProxiedPeer(None)),
    (block(0x11, V4), ProxiedPeer("203.0.113.9", None, 51200)),
    (block(0x21, V6), ProxiedPeer("2001:db8::17", None, 51200)),
    (block(0x31, bytes(216)), ProxiedPeer("")),
    (block(0x00, b""), ProxiedPeer(None)),
    (block(0x00, b"", 0x20), ProxiedPeer(None)),
    (block(0x11, V4, 0x20), ProxiedPeer(None)),
    (
        block(0x11, V4 + b"\x04\x00\x01x\x20\x00\x05\x01\0\0\0\0"),
        ProxiedPeer("203.0.113.9", True, 51200),
    ),
    (block(0x11, V4 + b"\x20\x00\x05\x00\0\0\0\0"), ProxiedPeer("203.0.113.9", False, 51200)),
]


@given(st.sampled_from(HEADERS), st.data())
def test_any_pieces_are_read_the_same_and_nothing_behind(
    header: tuple[bytes, ProxiedPeer], data: st.DataObject
) -> None:
    wire, expected = header[0] + b"GET / HTTP/1.1\r\n", header[1]
    taken = 0
    while isinstance(found := read_header(wire[:taken]), int):
        assert found > 0
        taken += data.draw(st.integers(1, found))
    assert found == expected
    assert taken == len(header[0])


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [
        (b"GET / HTTP/1.1", "does not begin"),
        (b"\x16\x03\x01", "does not begin"),
        (b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "of the form"),
        (b"PROXY TCP4 1.2.3.4\r\n", "of the form"),
        (b"PROXY TCP6 fe80::1%x ::1 1 2\r\n", "of the form"),
        (b"PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n", "an address that is none"),
        (b"PROXY TCP4 ::1 ::1 1 2\r\n", "an address that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "a port that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "a port that is none"),
        (b"PROXY TCP4 " + b"1" * 100, "longer than 107 bytes"),
        (b"PROXY A\r\nGET", "ends too early"),
        (block(0x11, V4, 0x11), "version 1 and command 1"),
        (block(0x11, V4, 0x22), "version 2 and command 2"),
        (block(0x41, V4), "no addresses"),
        (block(0x11, V4[:-1]), "no addresses"),
        (block(0x11, V4 + b"\x04\x00"), "cut off"),
        (block(0x11, V4 + b"\x04\x00\x05x"), "cut off"),
        (block(0x11, bytes(MAX_BLOCK + 1)), f"longer than {MAX_BLOCK} bytes"),
    ],
)
def test_what_is_no_header_is_refused(wire: bytes, sentence: str) -> None:
    with pytest.raises(ProxyHeaderError, match=sentence):
        read_header(wire)


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"!"]),
    st.binary(max_size=300),
)
def test_garbage_has_an_answer(start: bytes, rest: bytes) -> None:
    found: ProxiedPeer | int | str
    try:
        found = read_header(start + rest)
    except ProxyHeaderError as error:
        found = str(error)
    assert isinstance(found, (ProxiedPeer, str)) or found > 0
