"""The header that a proxy writes before a connection's own bytes: PROXY protocol, versions 1, 2.

    PROXY TCP4 203.0.113.9 10.0.0.2 51234 443\\r\\n      version 1, a line of text
    signature, command, family, length, addresses, …  version 2, binary

The bytes behind it belong to TLS or HTTP, so `read_header` says how many may be read without
touching them. The source is `doc/proxy-protocol.txt` of HAProxy.
"""

import struct
from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

MAX_LINE = 107
"""Bytes of a header of version 1, with its line end (section 2.1)."""

MAX_BLOCK = 4096
"""Bytes of a header of version 2 behind its first 16."""

_SIGNATURE = b"\r\n\r\n\x00\r\nQUIT\n"
_FIXED = 16
_TLV = struct.Struct("!BH")
_SSL = 0x20  # PP2_TYPE_SSL
_CLIENT_SSL = 0x01  # PP2_CLIENT_SSL
_ADDRESS_SIZES = {0: 0, 1: 12, 2: 36, 3: 216}


class ProxyHeaderError(Exception):
    """The bytes are no header of the PROXY protocol; the text says why."""


class ProxiedPeer(NamedTuple):
    """Whom a proxy got the connection from.

    Attributes:
        address: the client's, `""` for a Unix socket; `None` if the proxy does not say, or speaks
            for itself, as in its health checks.
        secure: whether the client uses TLS with the proxy; `None` if the proxy does not say so.
        port: the client's, 0 if the proxy does not say so.
    """

    address: str | None
    secure: bool | None = None
    port: int = 0


def read_header(data: bytes) -> ProxiedPeer | int:
    """Read a header; return how many bytes more of it there are at least, if it is incomplete.

    Raises:
        ProxyHeaderError: the bytes do not begin a header, or one that is malformed or too long.
    """
    size = len(_SIGNATURE)
    if data[:size] == _SIGNATURE[: len(data)]:
        return size - len(data) if len(data) < size else _read_block(data)
    if data[:6] == b"PROXY "[: len(data)]:
        return size - len(data) if len(data) < size else _read_line(data)
    raise ProxyHeaderError("it does not begin with a header of the PROXY protocol")


def _read_line(data: bytes) -> ProxiedPeer | int:
    line, end, rest = data.partition(b"\r\n")
    missing = 0 if end else 1 if line.endswith(b"\r") else 2
    if len(line) + len(end) + missing > MAX_LINE:
        raise ProxyHeaderError(f"its PROXY line is longer than {MAX_LINE} bytes")
    if missing:
        return missing
    if rest:
        raise ProxyHeaderError("its PROXY header ends too early")
    words = line.split(b" ")
    if words[1] == b"UNKNOWN":
        return ProxiedPeer(None)
    if len(words) != 6 or words[1] not in (b"TCP4", b"TCP6") or b"%" in line:
        raise ProxyHeaderError("its PROXY line is not of the form 'PROXY TCP4 from to port port'")
    kind = IPv4Address if words[1] == b"TCP4" else IPv6Address
    try:
        source, _ = (kind(word.decode("ascii")) for word in words[2:4])
    except ValueError:
        raise ProxyHeaderError("its PROXY line has an address that is none") from None
    if not all(port.isdigit() and len(port) < 6 and int(port) < 65536 for port in words[4:]):
        raise ProxyHeaderError("its PROXY line has a port that is none")
    return ProxiedPeer(_text(source), port=int(words[4]))


def _read_block(data: bytes) -> ProxiedPeer | int:
    if len(data) < _FIXED:
        return _FIXED - len(data)
    version, command = data[12] >> 4, data[12] & 15
    family = data[13] >> 4
    size = int.from_bytes(data[14:16])
    if version != 2 or command > 1:
        raise ProxyHeaderError(f"its PROXY header has version {version} and command {command}")
    if size > MAX_BLOCK:
        raise ProxyHeaderError(f"its PROXY header is longer than {MAX_BLOCK} bytes")
    if len(data) < _FIXED + size:
        return _FIXED + size - len(data)
    block = data[_FIXED:]
    if len(block) > size:
        raise ProxyHeaderError("its PROXY header ends too early")
    if not command:  # LOCAL
        return ProxiedPeer(None)
    if family not in _ADDRESS_SIZES or size < _ADDRESS_SIZES[family]:
        raise ProxyHeaderError("its PROXY header has no addresses of a known family")
    secure = _secure_of(block[_ADDRESS_SIZES[family] :])
    if family == 1:
        return ProxiedPeer(_text(IPv4Address(block[:4])), secure, int.from_bytes(block[8:10]))
    if family == 2:
        return ProxiedPeer(_text(IPv6Address(block[:16])), secure, int.from_bytes(block[32:34]))
    return ProxiedPeer("" if family == 3 else None, secure)


def _secure_of(extensions: bytes) -> bool | None:
    """Return whether the client uses TLS, as the extensions (type, length, value) say."""
    secure = None
    while extensions:
        if len(extensions) < _TLV.size:
            raise ProxyHeaderError("its PROXY header has an extension that is cut off")
        kind, size = _TLV.unpack_from(extensions)
        value = extensions[_TLV.size : _TLV.size + size]
        if len(value) < size:
            raise ProxyHeaderError("its PROXY header has an extension that is cut off")
        if kind == _SSL and value:
            secure = bool(value[0] & _CLIENT_SSL)
        extensions = extensions[_TLV.size + size :]
    return secure


def _text(address: IPv4Address | IPv6Address) -> str:
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(address)
