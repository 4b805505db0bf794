"""What a proxy did to a request: what the client is told, and the same in the log.

A table of requests as misconfigured proxies make them; `tests/end_to_end` has the proxies.
"""

import logging
from collections.abc import Mapping

import pytest

import trio_sio
from tests.support.peers import served
from tests.support.raw import Raw, raw
from trio_sio.engine import proxy_faults
from trio_sio.http import Headers, Request

QUERY = "?EIO=3&transport=polling"
SHOP = "https://shop.example"


async def talk(wire: Raw, data: bytes) -> bytes:
    """Send bytes; return all that the server answers until it closes."""
    stream = await wire.connect()
    await stream.send_all(data)
    return b"".join([piece async for piece in stream])


@pytest.mark.parametrize(
    ("path", "target", "sentence"),
    [
        ("/socket.io", "/socket.io", "the slash at the end is missing: does a proxy take it away?"),
        ("/socket.io", "//socket.io/", "there is a slash too many: does a proxy add it?"),
        ("/socket.io", "/Socket.IO/", "upper and lower case differ"),
        (
            "/socket.io",
            "/api/socket.io/",
            "'/api' stands before it: have the proxy take that away, or set the option 'path' to",
        ),
        ("/socket.io", "/", "'/socket.io' is missing before it: does a proxy take it away?"),
        ("/api/socket.io", "/socket.io/", "'/api' is missing before it: does a proxy take it away"),
        ("/api/socket.io", "/", "'/api/socket.io' is missing before it: does a proxy take it away"),
        ("/socket.io", "/chat/", "is that the client's option 'path'?"),
        ("/socket.io", "/socket.iox/", "is that the client's option 'path'?"),
    ],
)
async def test_paths(
    path: str, target: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(path=path, slow_step=None)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get(target + QUERY)
    assert response.status == 404
    (line,) = caplog.messages
    assert f"this server answers at {path}/; {sentence}" in line
    if "option 'path'?" not in sentence:
        assert sentence in response.text


@pytest.mark.parametrize("target", ["/", "/api/socket.io/", "/socket.io", "/?x=1"])
async def test_others_than_clients_are_told_nothing_of_proxies(target: str) -> None:
    async with served(trio_sio.Server(slow_step=None)) as url, raw(url) as wire:
        response = await wire.get(target)
    assert response.text.endswith("this server answers at /socket.io/\n")


UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


def without(*names: str) -> dict[str, str]:
    return {name: value for name, value in UPGRADE.items() if name not in names}


SECURITY = "does a proxy pass on the fields that begin with Sec-WebSocket?"


@pytest.mark.parametrize(
    ("method", "target", "fields", "options", "sentence"),
    [
        ("GET", "/socket.io/", {}, {}, "there is no query at all: does a proxy drop it?"),
        ("POST", "/socket.io/", {}, {}, "there is no query at all: does a proxy drop it?"),
        ("POST", "/socket.io/" + QUERY, {}, {}, "the query has no 'sid': does a proxy change it?"),
        (
            "GET",
            "/socket.io/?EIO=3&transport=websocket",
            without("Connection", "Upgrade"),
            {},
            "there is no 'Upgrade: websocket' and no 'Connection: upgrade'; does a proxy pass",
        ),
        (
            "GET",
            "/socket.io/?EIO=3&transport=websocket",
            {**without("Upgrade"), "Upgrade": "h2c"},
            {},
            "there is no 'Upgrade: websocket'; does a proxy pass",
        ),
        (
            "GET",
            "/socket.io/?EIO=3&transport=websocket",
            without("Sec-WebSocket-Key"),
            {},
            f"there is no Sec-WebSocket-Key; {SECURITY}",
        ),
        (
            "GET",
            "/socket.io/?EIO=3&transport=websocket",
            without("Sec-WebSocket-Key", "Sec-WebSocket-Version"),
            {},
            f"there is no Sec-WebSocket-Version and no Sec-WebSocket-Key; {SECURITY}",
        ),
        (
            "GET",
            "/socket.io/" + QUERY,
            {"Origin": SHOP},
            {"origins": "http://shop.example"},
            "the page came by https: name it so, even if TLS ends at a proxy",
        ),
        (
            "GET",
            "/socket.io/" + QUERY,
            {"Origin": f"{SHOP}:8443"},
            {"origins": SHOP},
            "; the ports differ",
        ),
    ],
)
async def test_requests(
    method: str,
    target: str,
    fields: Mapping[str, str],
    options: dict[str, str],
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    io = trio_sio.Server(slow_step=None, **options)  # type: ignore[arg-type]  # options of a table
    async with served(io) as url, raw(url) as wire:
        response = await wire.request(method, target, {**fields, "Connection": "close", **fields})
        assert response.status in (400, 403)
        assert sentence in response.text.replace('\\"', '"')
    assert any(sentence in line for line in caplog.messages)


async def test_a_request_by_http_1_0_names_the_option_of_nginx() -> None:
    async with served(trio_sio.Server(slow_step=None)) as url, raw(url) as wire:
        response = await talk(
            wire, b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.0\r\nHost: a\r\n\r\n"
        )
    assert b"as nginx sends it without 'proxy_http_version 1.1'" in response


@pytest.mark.parametrize(
    ("data", "cure"),
    [
        (b"\x16\x03\x01\x02\x00\x01\x00", "does a proxy use https:// for it?"),
        (b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nGET / HTTP/1.1\r\n\r\n", "option 'proxy_protocol'"),
        (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c" + b"a" * 12, "option 'proxy_protocol'"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "have the proxy speak HTTP/1.1 to this server"),
    ],
)
async def test_other_protocols(data: bytes, cure: str, caplog: pytest.LogCaptureFixture) -> None:
    async with served(trio_sio.Server(slow_step=None)) as url, raw(url) as wire:
        assert cure.encode() in await talk(wire, data)
    (line,) = caplog.messages
    assert cure in line


@pytest.mark.parametrize(
    ("fields", "options", "sentence"),
    [
        ({}, {}, ""),
        ({"X-Forwarded-For": "1.2.3.4"}, {}, "sends the field x-forwarded-for, which is ignored"),
        ({"Origin": SHOP}, {}, "name it in the option 'trusted_proxies'"),
        ({"Origin": "https://other.example"}, {}, ""),
        ({"Origin": "http://shop.example"}, {}, ""),
        ({"Origin": "null"}, {}, ""),
        ({"Origin": "https://["}, {}, ""),
        ({}, {"trusted_proxies": 1}, "sends no x-forwarded-for: all of its clients have its own"),
        (
            {"Forwarded": "for=1.2.3.4"},
            {"trusted_proxies": 1},
            "sends no x-forwarded-for (but forwarded: see option 'forwarded_fields')",
        ),
        (
            {"X-Forwarded-For": "1.2.3.4"},
            {"trusted_proxies": 1, "forwarded_fields": "forwarded"},
            "sends no forwarded (but x-forwarded-for: see option 'forwarded_fields')",
        ),
        ({"X-Forwarded-For": "1.2.3.4"}, {"trusted_proxies": 1}, ""),
        (
            {"X-Forwarded-For": "1.2.3.4", "Origin": SHOP},
            {"trusted_proxies": 1},
            "does not say that a page came by TLS: have it send X-Forwarded-Proto",
        ),
        (
            {"Forwarded": "for=1.2.3.4", "Origin": SHOP},
            {"trusted_proxies": 1, "forwarded_fields": "forwarded"},
            "does not say that a page came by TLS: have it send proto=https",
        ),
        (
            {"X-Forwarded-For": "1.2.3.4", "X-Forwarded-Proto": "https", "Origin": SHOP},
            {"trusted_proxies": 1},
            "",
        ),
    ],
)
async def test_what_a_proxy_does_not_say_is_told_once(
    fields: Mapping[str, str],
    options: dict[str, object],
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    io = trio_sio.Server(slow_step=None, **options)  # type: ignore[arg-type]  # options of a table
    async with served(io) as url, raw(url) as wire:
        for _ in range(3):
            response = await wire.get(
                "/socket.io/" + QUERY, {"Host": "shop.example:3000", **fields}
            )
            assert response.status == 200
    assert len(caplog.messages) == bool(sentence)
    assert all(line.startswith("127.0.0.1 ") and sentence in line for line in caplog.messages)


@pytest.mark.parametrize(
    ("address", "is_told"),
    [("127.0.0.1", True), ("10.1.2.3", True), ("fd00::1", True), ("8.8.8.8", False), ("a", False)],
)
def test_addresses_that_may_be_a_proxys(address: str, is_told: bool) -> None:
    assert ("'trusted_proxies'" in proxy_faults.of_address(address)) is is_told


async def test_too_many_connections_of_a_proxy() -> None:
    io = trio_sio.Server(max_connections_per_address=1, slow_step=None)
    async with served(io) as url, raw(url) as wire, raw(url) as other:
        await wire.connect()  # and it stays open
        response = await other.get("/socket.io/" + QUERY)
        assert response.status == 503
        assert "name it in the option 'trusted_proxies'" in response.text


@pytest.mark.parametrize("host", ["", "shop.example", "shop.example:80", "[::1]", "a b"])
def test_whatever_the_host_says(host: str) -> None:
    request = Request("GET", "/", Headers([("Host", host), ("Origin", SHOP)]), "1.2.3.4", False)
    assert proxy_faults.has_lost_tls(request) is host.startswith("shop")
