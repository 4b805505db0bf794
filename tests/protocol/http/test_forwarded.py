"""Whom a request comes from: what trusted proxies say, and nothing that a client says."""

from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import example, given, strategies as st

from trio_sio.protocol.http.forwarded import MAX_HOPS, Proxies, address_of, origin_of

IPAddress = IPv4Address | IPv6Address
PEER = "10.0.0.1"
PRIVATE = Proxies.of(["10.0.0.0/8", "fd00::/8"])
BY_RFC = Proxies.of(["10.0.0.0/8", "fd00::/8"], by_rfc=True)
assert PRIVATE is not None
assert BY_RFC is not None


def resolve(
    proxies: Proxies | None,
    fields: Sequence[tuple[str, str]],
    peer: str = PEER,
    *,
    secure: bool = False,
) -> tuple[str, bool]:
    assert proxies is not None
    return origin_of(
        proxies, lambda name: [value for key, value in fields if key == name], peer, secure
    )


ADDRESSES = [
    ("192.0.2.43", "192.0.2.43"),
    (" 192.0.2.43\t", "192.0.2.43"),
    ("192.0.2.43:47011", "192.0.2.43"),
    ("192.0.2.43:_port", "192.0.2.43"),
    ("2001:db8::17", "2001:db8::17"),
    ("[2001:DB8::17]", "2001:db8::17"),
    ("[2001:db8::17]:47011", "2001:db8::17"),
    ("[fe80::1%eth0]", "fe80::1"),
    ("::ffff:192.0.2.1", "192.0.2.1"),
    ("", ""),
    ("unknown", ""),
    ("_hidden", ""),
    ("999.1.1.1", ""),
    ("[2001:db8::17", ""),
    ("192.0.2.43:80:80", ""),
    ("shop.example", ""),
    ("192.0.2.43\nx", ""),
]


@pytest.mark.parametrize(("text", "address"), ADDRESSES)
def test_addresses(text: str, address: str) -> None:
    assert address_of(text) == address


CUSTOM = [
    ([], PEER, False),
    ([("x-forwarded-for", "203.0.113.9")], "203.0.113.9", False),
    ([("x-forwarded-for", "6.6.6.6, 203.0.113.9, 10.0.0.2")], "203.0.113.9", False),
    ([("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "203.0.113.9")], "203.0.113.9", False),
    ([("x-forwarded-for", "6.6.6.6, unknown, 10.0.0.2")], "10.0.0.2", False),
    ([("x-forwarded-for", "6.6.6.6, ")], PEER, False),
    ([("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https")], "1.2.3.4", True),
    ([("x-forwarded-for", "1.2.3.4"), ("x-forwarded-proto", "https, http")], "1.2.3.4", False),
    (
        [("x-forwarded-for", "1.2.3.4, 10.0.0.2"), ("x-forwarded-proto", "https, http")],
        "1.2.3.4",
        True,
    ),
    (
        [("x-forwarded-for", "6.6.6.6, 1.2.3.4, 10.0.0.2"), ("x-forwarded-proto", "https")],
        "1.2.3.4",
        True,
    ),
    ([("x-forwarded-for", "1.2.3.4"), ("forwarded", "for=6.6.6.6;proto=https")], "1.2.3.4", False),
    ([("forwarded", "for=6.6.6.6;proto=https")], PEER, False),
]


@pytest.mark.parametrize(("fields", "address", "secure"), CUSTOM)
def test_custom_fields(fields: list[tuple[str, str]], address: str, secure: bool) -> None:
    assert resolve(PRIVATE, fields) == (address, secure)


RFC = [
    (["for=192.0.2.60;proto=https;by=203.0.113.43"], "192.0.2.60", True),
    (['For="[2001:db8:cafe::17]:4711"'], "2001:db8:cafe::17", False),
    (["for=6.6.6.6, for=192.0.2.43"], "192.0.2.43", False),
    (["for=6.6.6.6", "for=192.0.2.43, for=10.0.0.2;proto=https"], "192.0.2.43", True),
    (['for="6.6.6.6, for="[2001:db8::1]"'], "2001:db8::1", False),
    (['for=1.2.3.4;host="a,b;c"'], "1.2.3.4", False),
    (['for=1.2.3.4;host="a\\",for=6.6.6.6"'], PEER, False),
    ([";for=1.2.3.4;;proto=https;"], "1.2.3.4", True),
    (["for=1.2.3.4;for=6.6.6.6"], PEER, False),
    (["for=1.2.3.4;FOR=6.6.6.6"], PEER, False),
    (["for=1.2.3.4;nonsense"], PEER, False),
    (["for=1.2.3.4;=nonsense"], PEER, False),
    (['";for=1.2.3.4;""'], PEER, False),
    (["for=unknown"], PEER, False),
    (['for="_gazonk"'], PEER, False),
    (["nonsense"], PEER, False),
    ([""], PEER, False),
]


@pytest.mark.parametrize(("values", "address", "secure"), RFC)
def test_the_field_of_the_rfc(values: list[str], address: str, secure: bool) -> None:
    assert resolve(BY_RFC, [("forwarded", one) for one in values]) == (address, secure)


def test_a_peer_that_is_not_trusted_is_believed_nothing() -> None:
    fields = [("x-forwarded-for", "6.6.6.6"), ("x-forwarded-proto", "https")]
    assert resolve(PRIVATE, fields, "203.0.113.1") == ("203.0.113.1", False)
    assert resolve(PRIVATE, fields, "") == ("", False)
    assert resolve(PRIVATE, fields, "203.0.113.1", secure=True) == ("203.0.113.1", True)


def test_ways_to_trust() -> None:
    fields = [("x-forwarded-for", "1.1.1.1, 2.2.2.2, 3.3.3.3")]
    assert resolve(Proxies.of(1), fields, "9.9.9.9")[0] == "3.3.3.3"
    assert resolve(Proxies.of(2), fields, "9.9.9.9")[0] == "2.2.2.2"
    assert resolve(Proxies.of(9), fields, "")[0] == "1.1.1.1"
    assert resolve(Proxies.of("all"), fields, "9.9.9.9")[0] == "1.1.1.1"
    assert resolve(Proxies.of("unix"), fields, "")[0] == "3.3.3.3"
    assert resolve(Proxies.of("unix"), fields, "9.9.9.9")[0] == "9.9.9.9"
    assert resolve(Proxies.of("10.0.0.0/8"), fields, "::ffff:10.0.0.1")[0] == "3.3.3.3"
    assert Proxies.of([]) is None


def test_by_default_nobody_is_trusted() -> None:
    nobody = Proxies()
    assert not any(nobody.trusts(address, 0) for address in ("", "127.0.0.1", "::1", PEER))
    with pytest.raises(FrozenInstanceError):
        nobody.all = True  # type: ignore[misc]
    fields = [("x-forwarded-for", "1.1.1.1"), ("forwarded", "for=6.6.6.6")]
    assert resolve(Proxies(count=1), fields)[0] == "1.1.1.1"


def test_a_long_list_is_cut() -> None:
    hops = ", ".join(f"10.0.{number}.1" for number in range(200))
    address, _ = resolve(Proxies.of("all"), [("x-forwarded-for", f"6.6.6.6, {hops}")])
    assert address == f"10.0.{200 - MAX_HOPS}.1"
    assert MAX_HOPS == 32  # a release that follows fewer would take a proxy for the client


@given(
    st.ip_addresses(),
    st.sampled_from(["", ":80", ":_port", "]", "x", ":80:80", "%eth0"]),
    st.sampled_from(["", " ", "\t", "["]),
)
def test_an_address_is_read_or_none(address: IPAddress, behind: str, before: str) -> None:
    text = f"[{address}]" if address.version == 6 and behind.startswith(":") else str(address)
    mapped = getattr(address, "ipv4_mapped", None) or address
    is_read = before != "[" and (
        behind in ("", ":80", ":_port") or (behind == "%eth0" and address.version == 6)
    )
    assert address_of(before + text + behind) in ([str(mapped)] if is_read else ["", str(mapped)])


OPTIONS = st.sampled_from(["10.0.0.0/8", "fd00::/8", "unix", "all", "192.0.2.1"])


@given(
    st.none()
    | st.integers(0, 3)
    | OPTIONS
    | st.lists(OPTIONS)
    | st.just(("fd00::/8", "192.0.2.1", "unix")),
    st.ip_addresses()
    | st.sampled_from(["", "nonsense", "10.1.2.3", "::ffff:10.1.2.3", "fd00::1%a"]),
    st.integers(0, 3),
)
def test_who_is_trusted(
    option: int | str | list[str] | None, address: IPAddress | str, hops: int
) -> None:
    proxies = Proxies.of(option)  # type: ignore[arg-type]  # `None` is what a server has by default
    if proxies is None:
        assert not option
        return
    trusts = proxies.trusts(str(address), hops)
    if isinstance(option, int):
        assert trusts == (hops < option)
        return
    words = [option] if isinstance(option, str) else list(option or ())
    if "all" in words:
        assert trusts
    elif address in ("", "nonsense"):
        assert trusts == (address == "" and "unix" in words and hops == 0)
    else:
        parsed = ip_address(str(address).partition("%")[0])
        parsed = getattr(parsed, "ipv4_mapped", None) or parsed
        networks = [ip_network(word) for word in words if word != "unix"]
        assert trusts == any(parsed in network for network in networks)


HOPS = st.lists(st.tuples(st.ip_addresses(), st.sampled_from(["http", "https", "ws", "wss"])))


@given(HOPS, st.integers(1, 40), st.booleans(), st.sampled_from([";", " ; ", ";;", "; \t;"]))
def test_as_many_hops_as_are_trusted(
    hops: list[tuple[IPAddress, str]], count: int, by_rfc: bool, between: str
) -> None:
    if by_rfc:
        elements = [
            f'for="[{a}]"{between}proto={s}' if a.version == 6 else f"for={a}{between}proto={s}"
            for a, s in hops
        ]
        fields = [("forwarded", ", ".join(elements))]
    else:
        fields = [("x-forwarded-for", ", ".join(str(address) for address, _ in hops))]
        fields.append(("x-forwarded-proto", ", ".join(scheme for _, scheme in hops)))
    proxies = Proxies.of(count, by_rfc=by_rfc)
    if not hops:
        assert resolve(proxies, fields, secure=True) == (PEER, True)
        return
    address, scheme = hops[-min(count, MAX_HOPS, len(hops))]
    expected = str(getattr(address, "ipv4_mapped", None) or address)
    assert resolve(proxies, fields) == (expected, scheme in ("https", "wss"))


TEXT = st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=60)
HOSTILE = TEXT | st.text(st.sampled_from('",;=\\ []:for.1'), max_size=60)


@given(spoofed=st.lists(HOSTILE, max_size=3), is_appended=st.booleans(), scheme=HOSTILE)
def test_what_is_left_of_the_first_untrusted_hop_never_matters(
    spoofed: list[str], is_appended: bool, scheme: str
) -> None:
    """Two proxies append what they know, in the client's last line or in one of their own."""

    def fields(name: str, own: str) -> list[tuple[str, str]]:
        if spoofed and is_appended:
            *lines, last = spoofed
            return [(name, one) for one in [*lines, f"{last}, {own}"]]
        return [(name, one) for one in [*spoofed, own]]

    addresses = fields("x-forwarded-for", "203.0.113.9, 10.0.0.2")
    schemes = [("x-forwarded-proto", f"{scheme}, https, http"), ("forwarded", scheme)]
    assert resolve(PRIVATE, addresses + schemes) == ("203.0.113.9", True)
    own = 'for="[2001:db8::1]:80";proto=https, for=10.0.0.2;proto=http'
    chain = [*fields("forwarded", own), ("x-forwarded-for", scheme), ("x-forwarded-proto", scheme)]
    assert resolve(BY_RFC, chain) == ("2001:db8::1", True)


@given(values=st.lists(HOSTILE, max_size=4), peer=TEXT, secure=st.booleans())
@example(["for=1.2.3.4;for=6.6.6.6"], PEER, False)
def test_nothing_is_an_error(values: list[str], peer: str, secure: bool) -> None:
    names = ("x-forwarded-for", "x-forwarded-proto", "forwarded")
    fields = [(name, value) for name in names for value in values]
    for proxies in (PRIVATE, BY_RFC, Proxies.of(3), Proxies.of("all"), Proxies.of("unix")):
        resolve(proxies, fields, peer, secure=secure)
