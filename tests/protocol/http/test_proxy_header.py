"""The header of the PROXY protocol: both versions, in any pieces, and what is none."""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.http.proxy_header import (
    MAX_BLOCK,
    MAX_LINE,
    ProxiedPeer,
    ProxyHeaderError,
    read_header,
)

IPAddress = IPv4Address | IPv6Address
SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
LONGEST_LINE = b"PROXY UNKNOWN %b %b 65535 65535" % ((b":".join([b"ffff"] * 8),) * 2)
"""Without its line end."""
V4 = bytes([203, 0, 113, 9, 10, 0, 0, 2, 0xC8, 0, 1, 0xBB])
V6 = ip_address("2001:db8::17").packed + ip_address("::1").packed + b"\xc8\x00\x01\xbb"


def block(kind: int, rest: bytes, first: int = 0x21) -> bytes:
    return SIGNATURE + bytes([first, kind]) + len(rest).to_bytes(2) + rest


HEADERS = [
    (b"PROXY TCP4 203.0.113.9 10.0.0.2 51200 443\r\n", ProxiedPeer("203.0.113.9", None, 51200)),
    (b"PROXY TCP4 203.0.113.9 10.0.0.2 65535 65535\r\n", ProxiedPeer("203.0.113.9", None, 65535)),
    (b"PROXY TCP6 2001:db8::17 ::1 51200 443\r\n", ProxiedPeer("2001:db8::17", None, 51200)),
    (b"PROXY TCP6 ::ffff:203.0.113.9 ::1 51200 443\r\n", ProxiedPeer("203.0.113.9", None, 51200)),
    (b"PROXY UNKNOWN\r\n", ProxiedPeer(None, None, 0)),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", ProxiedPeer(None)),
    (LONGEST_LINE + b"\r\n", ProxiedPeer(None)),
    (block(0x11, V4), ProxiedPeer("203.0.113.9", None, 51200)),
    (block(0x21, V6), ProxiedPeer("2001:db8::17", None, 51200)),
    (block(0x31, bytes(216)), ProxiedPeer("")),
    (block(0x00, b""), ProxiedPeer(None)),
    (block(0x00, b"", 0x20), ProxiedPeer(None)),
    (block(0x00, b"\x20\x00\x05\x01\0\0\0\0"), ProxiedPeer(None, True)),
    (block(0x11, V4, 0x20), ProxiedPeer(None)),
    (
        block(0x11, V4 + b"\x04\x00\x01x\x20\x00\x05\x01\0\0\0\0"),
        ProxiedPeer("203.0.113.9", True, 51200),
    ),
    (block(0x11, V4 + b"\x20\x00\x05\x00\0\0\0\0"), ProxiedPeer("203.0.113.9", False, 51200)),
    (block(0x11, V4 + b"\x30\x00\x01\x01"), ProxiedPeer("203.0.113.9", None, 51200)),
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


@pytest.mark.parametrize("wire", [wire for wire, _ in HEADERS])
def test_no_more_is_asked_for_than_the_header_has(wire: bytes) -> None:
    for taken in range(len(wire)):
        found = read_header(wire[:taken])
        assert isinstance(found, int)
        assert 0 < found <= len(wire) - taken


@pytest.mark.parametrize(
    ("wire", "sentence"),
    [
        (b"GET / HTTP/1.1", "does not begin"),
        (b"\x16\x03\x01", "does not begin"),
        (b"\n", "does not begin"),
        (b"SSH-2.0-x\r\n", "does not begin"),
        (b"PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n", "of the form"),
        (b"PROXY TCP4 1.2.3.4\r\n", "of the form"),
        (b"PROXY TCP6 fe80::1%x ::1 1 2\r\n", "of the form"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n", "of the form"),
        (b"PROXY UNKNOWNS\r\n", "of the form"),
        (b"PROXY TCP4 1.2.3.4.5 1.2.3.4 1 2\r\n", "an address that is none"),
        (b"PROXY TCP4 ::1 ::1 1 2\r\n", "an address that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n", "a port that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n", "a port that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 000080\r\n", "a port that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 1 0000080\r\n", "a port that is none"),
        (b"PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n", "a port that is none"),
        (b"PROXY TCP4 " + b"1" * 100, "longer than 107 bytes"),
        (b"PROXY A\r\nGET", "ends too early"),
        (block(0x11, V4) + b"G", "ends too early"),
        (block(0x11, V4, 0x11), "version 1 and command 1"),
        (block(0x11, V4, 0x22), "version 2 and command 2"),
        (block(0x11, V4, 0x31), "version 3 and command 1"),
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


def test_the_longest_line() -> None:
    """Wherever its bytes are split; a reader may give up at 107 bytes, so no proxy writes more."""
    assert len(LONGEST_LINE) == 105
    assert read_header(LONGEST_LINE + b"\r\n") == ProxiedPeer(None)
    assert read_header(LONGEST_LINE + b"\r") == 1
    assert read_header(LONGEST_LINE) == 2
    for longer in (LONGEST_LINE + b"x", LONGEST_LINE + b"x\r\n"):
        with pytest.raises(ProxyHeaderError, match="longer than 107 bytes"):
            read_header(longer)


def test_the_longest_block() -> None:
    longest = block(0x11, V4 + b"\x04" + (4096 - 15).to_bytes(2) + bytes(4096 - 15))
    assert read_header(longest) == ProxiedPeer("203.0.113.9", None, 51200)
    assert read_header(longest[:16]) == 4096


PORTS = st.integers(0, 65535)


@given(st.ip_addresses(), st.ip_addresses(), PORTS, st.sampled_from([None, True, False]), st.data())
def test_addresses_come_back(
    one: IPAddress, other: IPAddress, port: int, secure: bool | None, data: st.DataObject
) -> None:
    """Both versions say whom a connection comes from; only the second says whether by TLS."""
    plain = str(getattr(one, "ipv4_mapped", None) or one)
    line = f"PROXY TCP{one.version} {one} {other} {port} 443\r\n".encode()
    if one.version == other.version:
        assert read_header(line) == ProxiedPeer(plain, None, port)
        extensions = data.draw(st.lists(st.binary(max_size=9), max_size=2))
        rest = one.packed + other.packed + port.to_bytes(2) + bytes(2)
        rest += b"".join(b"\x04" + len(value).to_bytes(2) + value for value in extensions)
        if secure is not None:
            rest += b"\x20\x00\x05" + (b"\xff" if secure else b"\xfe") + bytes(4)
        family = 0x11 if one.version == 4 else 0x21
        assert read_header(block(family, rest)) == ProxiedPeer(plain, secure, port)
        assert read_header(block(family, rest, 0x20)) == ProxiedPeer(None)
    else:
        with pytest.raises(ProxyHeaderError, match="an address that is none"):
            read_header(line)


@given(
    st.sampled_from(HEADERS),
    st.integers(0, 60),
    st.binary(min_size=1, max_size=2) | st.sampled_from([b" ", b"%", b"\r\n", b"65536"]),
    st.booleans(),
)
@example((block(0x41, V4), ProxiedPeer(None)), 60, b"x", False)
@example((b"PROXY TCP4 1.1.1.1 1.1.1.1 1 99999\r\n", ProxiedPeer(None)), 60, b"x", False)
@example((b"PROXY TCP4 1.1.1.1 1.1.1.1 1\r\n", ProxiedPeer(None)), 60, b"x", False)
@example((b"PROXY A\r\nB\r\n", ProxiedPeer(None)), 60, b"x", False)
@example((block(0x00, bytes(MAX_BLOCK + 1)), ProxiedPeer(None)), 60, b"x", False)
@example((block(0x11, V4 + b"\x20\x00\x05\x01"), ProxiedPeer(None)), 60, b"x", False)
@example((block(0x11, V4 + b"\x04\x00"), ProxiedPeer(None)), 60, b"x", False)
@example((block(0x31, bytes(216)), ProxiedPeer("")), 200, b"x", False)
@example((block(0x31, bytes(216), 0x31), ProxiedPeer("")), 200, b"x", False)
@example((b"PROXY TCP4 " + b"1" * 100, ProxiedPeer(None)), 200, b"x", False)
@example((block(0x00, b"") + b"x", ProxiedPeer(None)), 200, b"x", False)
@example((b"PROXY UNKNOWN\r", ProxiedPeer(None)), 200, b"x", True)
def test_a_damaged_header_is_refused_or_has_an_address(
    header: tuple[bytes, ProxiedPeer], at: int, instead: bytes, is_cut: bool
) -> None:
    wire = header[0][:at] + (b"" if is_cut else instead + header[0][at + len(instead) :])
    if len(header[0]) <= at:
        wire = header[0]
    found = attempt(ProxyHeaderError, read_header, wire)
    if isinstance(found, ProxyHeaderError):
        assert str(found).startswith(("it does not begin", "its PROXY "))
    elif isinstance(found, int):
        assert found > 0
        assert len(wire) + found <= max(MAX_LINE, 16 + MAX_BLOCK)
    else:
        assert found.address in (None, "") or ip_address(found.address or "")
        assert 0 <= found.port < 65536


@given(
    st.sampled_from([b"", b"PROXY ", b"PROXY TCP4 ", b"PROXY TCP6 ", SIGNATURE, SIGNATURE + b"!"]),
    st.binary(max_size=300),
)
def test_garbage_has_an_answer(start: bytes, rest: bytes) -> None:
    wire = start + rest
    found = attempt(ProxyHeaderError, read_header, wire)
    assert not isinstance(found, int) or found > 0
    if not any(wire[: len(known)] == known[: len(wire)] for known in (b"PROXY ", SIGNATURE)):
        assert str(found).startswith("it does not begin")
