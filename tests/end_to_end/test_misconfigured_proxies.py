"""nginx and HAProxy as they are often configured: the answer and the log name what is wrong."""

import logging
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import trio_sio
from tests.support.peers import served
from tests.support.proxies import configuration, proxy
from tests.support.raw import WEBSOCKET as WEBSOCKET_TARGET, Raw, raw

pytestmark = pytest.mark.slow

NGINX = "nginx_one_server.conf"
HANDSHAKE = "/socket.io/?EIO=3&transport=polling"
TO_SERVER = "proxy_pass http://server;"
UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "AAAAAAAAAAAAAAAAAAAAAA==",
}


@asynccontextmanager
async def behind(io: trio_sio.Server, text: str) -> AsyncIterator[Raw]:
    """Connections to a proxy that stands before a server."""
    async with served(io) as server, proxy(text, [int(server.rpartition(":")[2])]) as url:
        async with raw(url) as wire:
            yield wire


def nginx(*changes: tuple[str, str]) -> str:
    """Return the configuration of the documentation, with something replaced in it."""
    text = configuration(NGINX)
    for pattern, there in changes:
        changed = re.sub(pattern, there, text)
        assert changed != text, pattern
        text = changed
    return text


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("text", "path", "target", "sentence"),
    [
        (  # a slash behind the server's name replaces what `location` has matched
            nginx((TO_SERVER, "proxy_pass http://server/;")),
            *("/socket.io", HANDSHAKE),
            "'/socket.io' is missing before it: does a proxy take it away?",
        ),
        (
            nginx(("location /socket.io/", "location /api/")),
            *("/socket.io", f"/api{HANDSHAKE}"),
            "'/api' stands before it: have the proxy take that away, or set the option 'path' to",
        ),
        (
            nginx(
                ("location /socket.io/", "location /api/"),
                (TO_SERVER, "proxy_pass http://server/;"),
            ),
            *("/api/socket.io", f"/api{HANDSHAKE}"),
            "'/api' is missing before it: does a proxy take it away?",
        ),
        (
            nginx((TO_SERVER, "proxy_pass http://server/socket.io?$args;")),
            *("/socket.io", HANDSHAKE),
            "the slash at the end is missing: does a proxy take it away?",
        ),
        (
            nginx((TO_SERVER, "proxy_pass http://server//socket.io/;")),
            *("/socket.io", HANDSHAKE),
            "there is a slash too many: does a proxy add it?",
        ),
        (  # with a variable in it, the query has to be passed on by name
            nginx((TO_SERVER, "proxy_pass http://server$uri;")),
            *("/socket.io", HANDSHAKE),
            "there is no query at all: does a proxy drop it?",
        ),
    ],
)
async def test_paths_and_queries(
    text: str, path: str, target: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server(path=path, trusted_proxies=1, slow_step=None)
    async with behind(io, text) as wire:
        response = await wire.get(target)
        assert response.status in (400, 404)
        assert sentence in response.text
    assert any(sentence in line for line in caplog.messages)


@pytest.mark.nginx
async def test_http_1_0(caplog: pytest.LogCaptureFixture) -> None:
    """nginx's default, which also takes the upgrade away; polls go through."""
    text = nginx((r" +proxy_(http_version|set_header (Upgrade|Connection)) .*\n", ""))
    async with behind(trio_sio.Server(trusted_proxies=1), text) as wire:
        assert (await wire.get(HANDSHAKE)).status == 200
        response = await wire.get(WEBSOCKET_TARGET, UPGRADE)
        sentence = "as nginx sends it without 'proxy_http_version 1.1'"
        assert (response.status, sentence in response.text) == (400, True)
    assert any(sentence in line for line in caplog.messages)


@pytest.mark.nginx
async def test_fields_of_the_websocket_handshake(caplog: pytest.LogCaptureFixture) -> None:
    added = 'proxy_set_header Sec-WebSocket-Key "";'
    text = nginx((TO_SERVER, f"{TO_SERVER}\n            {added}"))
    async with behind(trio_sio.Server(trusted_proxies=1), text) as wire:
        response = await wire.get(WEBSOCKET_TARGET, UPGRADE)
        sentence = "there is no Sec-WebSocket-Key; does a proxy pass on the fields"
        assert (response.status, sentence in response.text) == (400, True)
    assert any(sentence in line for line in caplog.messages)


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("changes", "options", "sentence"),
    [
        ((), {}, "sends the field x-forwarded-for, which is ignored; if that is your proxy, name"),
        (
            ((r" +proxy_set_header X-Forwarded-.*\n", ""),),
            {},
            "asks by plain HTTP for a page that came by TLS; if that is your proxy, have it send",
        ),
        (
            ((r" +proxy_set_header X-Forwarded-.*\n", ""),),
            {"trusted_proxies": 1},
            "is trusted, but sends no x-forwarded-for: all of its clients have its own address",
        ),
        (
            ((r" +proxy_set_header X-Forwarded-Proto.*\n", ""),),
            {"trusted_proxies": 1},
            "is trusted, but does not say that a page came by TLS: have it send X-Forwarded-Proto",
        ),
    ],
)
async def test_what_it_does_not_say(
    changes: tuple[tuple[str, str], ...],
    options: dict[str, int],
    sentence: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Pages came by TLS, which ends before this nginx: their origin says so, and nothing else."""
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    io = trio_sio.Server(**options)  # type: ignore[arg-type]  # options of a table
    async with behind(io, nginx(*changes)) as wire:
        origin = {"Host": "shop.example", "Origin": "https://shop.example"}
        assert (await wire.get(HANDSHAKE, origin)).status == 200
    assert any(sentence in line for line in caplog.messages)


@pytest.mark.nginx
async def test_tls_to_a_port_without(caplog: pytest.LogCaptureFixture) -> None:
    text = nginx((TO_SERVER, "proxy_pass https://server;"))
    async with behind(trio_sio.Server(trusted_proxies=1), text) as wire:
        assert (await wire.get(HANDSHAKE)).status == 502  # nginx's own
    assert any("does a proxy use https:// for it?" in line for line in caplog.messages)


@pytest.mark.haproxy
@pytest.mark.parametrize("word", ["send-proxy", "send-proxy-v2"])
async def test_the_proxy_protocol_without_its_option(
    word: str, caplog: pytest.LogCaptureFixture
) -> None:
    text = configuration("haproxy_one_server.cfg").replace(":3001", f":3001 {word}")
    async with behind(trio_sio.Server(trusted_proxies=1), text) as wire:
        response = await wire.get(HANDSHAKE)
        assert response.status == 400
        assert "option 'proxy_protocol'" in response.text
    assert any("option 'proxy_protocol'" in line for line in caplog.messages)


@pytest.mark.haproxy
async def test_http_2_to_the_server(caplog: pytest.LogCaptureFixture) -> None:
    text = configuration("haproxy_one_server.cfg").replace(":3001", ":3001 proto h2")
    async with behind(trio_sio.Server(trusted_proxies=1), text) as wire:
        assert (await wire.get(HANDSHAKE)).status in (502, 503)  # HAProxy's own
    assert any("have the proxy speak HTTP/1.1" in line for line in caplog.messages)
