"""Whom a request comes from, as the proxies say that it has passed (RFC 7239).

Each proxy adds the address that it got the request from at the right end of a list; what a client
wrote itself stands at the left. So the list is read from the right, one step for each proxy that is
trusted, and what is left of the first hop that is not trusted never matters.

    X-Forwarded-For: 6.6.6.6, 203.0.113.9, 10.0.0.2        from 10.0.0.3
                     spoofed  the client   proxy           proxy

Only one kind of fields is read, `X-Forwarded-…` or `Forwarded`: a proxy that writes the one passes
on what its client wrote into the other. A hop whose address cannot be read ("unknown", an
obfuscated identifier, nonsense) ends the way: nothing is known of what stands left of it.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from itertools import islice
from typing import NamedTuple

MAX_HOPS = 32
"""Proxies that are followed; a longer list is cut at its left, which nobody has vouched for."""

Network = IPv4Network | IPv6Network

_PIECES = {sign: re.compile(rf'"[^"]*"|{sign}|[^"{sign}]+|"') for sign in ",;"}
_PAIR = re.compile(r"""([!#$%&'*+.^_`|~0-9A-Za-z-]+)=(?:([^\s"\\]*)|"([^"\\]*)")""")
_WITH_PORT = re.compile(r"\[([^\]]*)\](?::[0-9_A-Za-z.-]*)?|([^:]*)(?::[0-9_A-Za-z.-]*)?")


class Hop(NamedTuple):
    """What one proxy says of the request that it got.

    Attributes:
        address: whom from, `""` if that is not known.
        secure: whether by TLS, `None` if that is not known.
    """

    address: str
    secure: bool | None


@dataclass(frozen=True, slots=True)
class Proxies:
    """The proxies that are trusted.

    Attributes:
        count: that many hops from the right, whatever their addresses; 0 if addresses decide.
        networks: or those whose addresses are in here.
        unix: or peers without an address, who come by a Unix socket.
        all: or all.
        by_rfc: whether they write `Forwarded`, and not `X-Forwarded-For` and `-Proto`.
    """

    count: int = 0
    networks: tuple[Network, ...] = ()
    unix: bool = False
    all: bool = False
    by_rfc: bool = False

    @classmethod
    def of(cls, option: int | str | Collection[str], *, by_rfc: bool = False) -> "Proxies | None":
        """Return what option `trusted_proxies` says; `None` for nobody.

        Raises:
            ValueError: an address or network that is none.
        """
        if not option:
            return None
        if isinstance(option, int):
            return cls(count=option, by_rfc=by_rfc)
        words = [option] if isinstance(option, str) else list(option)
        names = [word for word in words if word not in ("unix", "all")]
        networks = tuple(ip_network(name) for name in names)
        return cls(0, networks, "unix" in words, "all" in words, by_rfc)

    def trusts(self, address: str, hops: int) -> bool:
        """Whether to believe the proxy at an address.

        Args:
            address: its own, `""` for the peer of a Unix socket.
            hops: how many proxies have been believed before it.
        """
        if self.count:
            return hops < self.count
        if self.all:
            return True
        if not address:
            return self.unix and not hops
        try:
            parsed = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
            parsed = parsed.ipv4_mapped
        return any(parsed in network for network in self.networks)


def origin_of(
    proxies: Proxies, get_all: Callable[[str], Sequence[str]], address: str, secure: bool
) -> tuple[str, bool]:
    """Return the client's address, and whether its own connection uses TLS.

    Args:
        proxies: who is trusted.
        get_all: returns the values of all header fields of a name in lower case.
        address: the peer's, `""` if it has none.
        secure: whether the connection from the peer uses TLS.
    """
    if not proxies.trusts(address, 0):
        return address, secure
    hops = _by_rfc(get_all) if proxies.by_rfc else _by_custom(get_all)
    for trusted, hop in enumerate(islice(hops, MAX_HOPS), start=1):
        address = hop.address or address
        secure = secure if hop.secure is None else hop.secure
        if not hop.address or not proxies.trusts(address, trusted):
            break
    return address, secure


def _by_custom(get_all: Callable[[str], Sequence[str]]) -> Iterator[Hop]:
    """Yield what the proxies say, the nearest one first."""
    fields = get_all("x-forwarded-for")
    if not fields:
        return
    schemes = ",".join(get_all("x-forwarded-proto")).split(",")
    for number, text in enumerate(reversed(",".join(fields).split(",")), start=1):
        # A proxy that replaces the scheme by its own, or passes it on, speaks for all before it.
        scheme = schemes[-min(number, len(schemes))]
        yield Hop(address_of(text), _is_secure(scheme))


def _by_rfc(get_all: Callable[[str], Sequence[str]]) -> Iterator[Hop]:
    """Yield what the proxies say, the nearest one first."""
    for value in reversed(get_all("forwarded")):
        for element in _split(value, ","):
            if element.strip(" \t"):
                yield _hop(element)


def _split(text: str, sign: str) -> list[str]:
    """Split a list where `sign` stands outside of quoted strings; the last part comes first.

    It is read from the right, so that no quotation mark at the left changes what stands there.
    """
    parts = [""]
    for piece in _PIECES[sign].findall(text[::-1]):
        if piece == sign:
            parts.append("")
        else:
            parts[-1] += piece
    return [part[::-1] for part in parts]


def _hop(element: str) -> Hop:
    """Read one element of `Forwarded`; one that is malformed says nothing."""
    pairs: dict[str, str] = {}
    for text in _split(element, ";"):
        pair = text.strip(" \t")
        if not pair:  # RFC 7239, 4: it may be left out
            continue
        found = _PAIR.fullmatch(pair)
        if found is None or (name := found[1].lower()) in pairs:  # not more than once
            return Hop("", None)
        pairs[name] = found[2] or found[3] or ""
    return Hop(address_of(pairs.get("for", "")), _is_secure(pairs.get("proto", "")))


def address_of(text: str) -> str:
    """Return the address in a node's name, without its port; `""` if there is none.

    `192.0.2.43:47011`, `[2001:db8::17]:47011`, `2001:db8::17`, `"unknown"`, `_hidden`.
    """
    text = text.strip(" \t")
    if text.count(":") < 2 or text.startswith("["):
        found = _WITH_PORT.fullmatch(text)
        if found is None:
            return ""
        text = found[1] or found[2] or ""
    try:
        parsed = ip_address(text.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(parsed)


def _is_secure(scheme: str) -> bool | None:
    scheme = scheme.strip(" \t").lower()
    if scheme in ("https", "wss"):
        return True
    return False if scheme in ("http", "ws") else None
