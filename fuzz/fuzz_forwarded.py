"""Any fields of proxies give an address that is one, and what clients write themselves is nothing.

Lines of the input are fields: `X-Forwarded-For` or `Forwarded`; behind a tab, `X-Forwarded-Proto`.
"""

from collections.abc import Hashable, Sequence
from ipaddress import ip_address

from fuzz import harness
from trio_sio.protocol.http.forwarded import Proxies, address_of, origin_of

NAME = "forwarded"

_PEER = "10.0.0.3"
_PROXIES = ("10.0.0.0/8", "unix", "2001:db8::/32")
_SPOOFED = {
    "x-forwarded-for": "192.0.2.66, 10.0.0.9",
    "forwarded": 'for=192.0.2.66;proto=https, for="10.0.0.9',
}


def fuzz(data: bytes) -> Hashable:
    """Read the fields in each way that an application may choose."""
    lines = data.decode("latin-1").split("\n")
    ways = [
        Proxies.of(option, by_rfc=by_rfc)
        for by_rfc in (False, True)
        for option in (1, 2, list(_PROXIES), "all")
    ]
    return tuple(_read(proxies, lines) for proxies in ways if proxies is not None)


def _read(proxies: Proxies, lines: list[str]) -> Hashable:
    values = {
        "forwarded": lines,
        "x-forwarded-for": [line.partition("\t")[0] for line in lines],
        "x-forwarded-proto": [line.partition("\t")[2] for line in lines if "\t" in line],
    }
    address, secure = _origin(proxies, values)
    assert address == _PEER or str(ip_address(address)) == address
    name = "forwarded" if proxies.by_rfc else "x-forwarded-for"
    if proxies.count == 1 and address_of(values[name][-1].rpartition(",")[2]):
        # Only the field of the nearest proxy counts, whatever a client writes before it.
        spoofed = {**values, name: [_SPOOFED[name], *values[name]]}
        assert _origin(proxies, spoofed)[0] == address
    return (address == _PEER, ":" in address, secure)


def _origin(proxies: Proxies, values: dict[str, list[str]]) -> tuple[str, bool]:
    def get_all(name: str) -> Sequence[str]:
        return values[name]

    return origin_of(proxies, get_all, _PEER, secure=False)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
