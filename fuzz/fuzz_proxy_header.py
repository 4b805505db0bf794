"""Any bytes are a header of the PROXY protocol, its beginning, or raise ProxyHeaderError.

Whoever reads as many bytes as it asks for reads nothing behind the header.
"""

from collections.abc import Hashable
from ipaddress import ip_address

from fuzz import harness
from trio_sio.protocol.http.proxy_header import (
    MAX_BLOCK,
    ProxiedPeer,
    ProxyHeaderError,
    read_header,
)

NAME = "proxy_header"


def fuzz(data: bytes) -> Hashable:
    """Read a header from a connection, as it asks for bytes."""
    size = 0
    while True:
        try:
            found = read_header(data[:size])
        except ProxyHeaderError as error:
            return str(error)
        if isinstance(found, ProxiedPeer):
            _check(data[:size], found)
            return (found.address is None, found.address == "", found.secure, found.port > 0)
        assert found > 0
        size += found
        assert size <= 16 + MAX_BLOCK
        if size > len(data):
            return size - len(data)


def _check(header: bytes, peer: ProxiedPeer) -> None:
    assert 0 <= peer.port < 65536
    if peer.address:
        assert str(ip_address(peer.address)) == peer.address
    if header.startswith(b"PROXY"):
        assert header.index(b"\r\n") == len(header) - 2
    for size in range(len(header)):
        missing = read_header(header[:size])
        assert isinstance(missing, int)
        assert 0 < missing <= len(header) - size


if __name__ == "__main__":
    harness.main(fuzz, NAME)
