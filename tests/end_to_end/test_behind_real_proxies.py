"""One server behind a real proxy: as it should be configured, and as it often is."""

import logging
import re
from pathlib import Path

import pytest
import trio

import trio_sio
from tests.support.peers import POLLING, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.proxies import configuration, proxy
from tests.support.raw import WEBSOCKET as WEBSOCKET_TARGET, raw

pytestmark = pytest.mark.slow

NGINX = "nginx_one_server.conf"
CADDY = "caddy_one_server.conf"
PROXIES = [
    pytest.param(NGINX, marks=pytest.mark.nginx),
    pytest.param("haproxy_one_server.cfg", marks=pytest.mark.haproxy),
    pytest.param(CADDY, marks=pytest.mark.caddy),
    pytest.param("apache_one_server.conf", marks=pytest.mark.apache),
]
HANDSHAKE = "/socket.io/?EIO=3&transport=polling"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


@pytest.mark.node
@pytest.mark.parametrize("name", PROXIES)
@pytest.mark.parametrize("kind", [POLLING, UPGRADING, WEBSOCKET], ids=str)
async def test_real_clients_have_their_own_address(name: str, kind: Kind) -> None:
    io = trio_sio.Server(trusted_proxies="127.0.0.1", max_connections_per_address=1)

    @io.on("who")
    async def who(socket: trio_sio.Socket) -> list[object]:
        return [socket.handshake.address, socket.handshake.secure]

    # The proxy is told by the client whom it is a proxy for, as if there were one more before it.
    async with served(io) as server, proxy(configuration(name), [port_of(server)]) as url:
        async with peer() as process:
            fields = {"extraHeaders": {"X-Forwarded-For": "203.0.113.9"}}
            client = await process.connect(url, **{**kind.options, **fields})
            if kind is UPGRADING:
                await client.hear("upgrade")
            # But Caddy trusts no client to be one.
            address = "127.0.0.1" if name == CADDY else "203.0.113.9"
            assert (await client.call("who"))[0] == [address, False]


@pytest.mark.parametrize("name", PROXIES)
async def test_what_a_client_writes_itself_is_ignored(name: str) -> None:
    seen = []

    def look(request: trio_sio.Request) -> None:
        seen.append((request.remote, request.secure))

    io = trio_sio.Server(trusted_proxies=1, allow_request=look)
    async with (
        served(io) as server,
        proxy(configuration(name), [port_of(server)]) as url,
        raw(url) as wire,
    ):
        fields = {
            "X-Forwarded-For": "6.6.6.6, 7.7.7.7",
            "X-Forwarded-Proto": "https",
            "Forwarded": "for=6.6.6.6;proto=https",
        }
        response = await wire.get(HANDSHAKE, fields)
        assert response.status == 200
        assert "Secure" not in response.headers["set-cookie"]
    assert seen == [("127.0.0.1", False)]


@pytest.mark.nginx
@pytest.mark.parametrize(
    ("without", "sentence"),
    [
        (
            "Upgrade|Connection",
            "no 'Upgrade: websocket' and no 'Connection: upgrade'; does a proxy pass them on?",
        ),
        ("Upgrade", "there is no 'Upgrade: websocket'; does a proxy pass them on?"),
        ("Connection", "there is no 'Connection: upgrade'; does a proxy pass them on?"),
    ],
)
async def test_an_upgrade_that_it_does_not_pass_on_is_told(
    without: str, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    """For a client that begins with a WebSocket, and for one that upgrades to it."""
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    text = re.sub(rf" +proxy_set_header ({without}) .*\n", "", configuration(NGINX))
    io = trio_sio.Server(trusted_proxies=1)
    async with served(io) as server, proxy(text, [port_of(server)]) as url, raw(url) as wire:
        body = (await wire.get(HANDSHAKE)).text
        found = re.search('"sid":"([^"]+)"', body)
        assert found is not None
        session = f"&sid={found[1]}"
        for target in (WEBSOCKET_TARGET, WEBSOCKET_TARGET + session):
            socket = await wire.websocket(target)
            assert socket.status == "HTTP/1.1 400 Bad Request"
        assert io.statistics().refused["bad_request"] == 2
    assert any(sentence in line for line in caplog.messages)


@pytest.mark.nginx
async def test_a_unix_socket_behind_nginx(tmp_path: Path) -> None:
    seen = []

    def look(request: trio_sio.Request) -> None:
        seen.append(request.remote)

    path = tmp_path / "io.sock"
    text = configuration(NGINX).replace("server 127.0.0.1:3001;", f"server unix:{path};")
    io = trio_sio.Server(trusted_proxies="unix", allow_request=look)
    below = trio.socket.socket(trio.socket.AF_UNIX, trio.socket.SOCK_STREAM)
    await below.bind(str(path))
    below.listen()
    async with io, trio.open_nursery() as nursery:
        await nursery.start(io.serve_listeners, [trio.SocketListener(below)])
        async with proxy(text, []) as url, raw(url) as wire:
            assert (await wire.get(HANDSHAKE, {"X-Forwarded-For": "6.6.6.6"})).status == 200
            websocket = await wire.websocket()
            assert websocket.status.startswith("HTTP/1.1 101 ")
        nursery.cancel_scope.cancel()
    assert seen == ["127.0.0.1", "127.0.0.1"]


@pytest.mark.haproxy
@pytest.mark.parametrize("word", ["send-proxy", "send-proxy-v2"])
async def test_the_proxy_protocol_of_haproxy(word: str) -> None:
    seen = []

    def look(request: trio_sio.Request) -> None:
        seen.append(request.remote)

    text = (
        "defaults\n    mode tcp\n    timeout connect 5s\n    timeout client 60s\n"
        "    timeout server 60s\nfrontend clients\n    bind :8080\n    default_backend server\n"
        f"\nbackend server\n    source 127.0.0.2\n    server one 127.0.0.1:3001 {word}\n"
    )
    io = trio_sio.Server(proxy_protocol=True, allow_request=look)
    async with (
        served(io) as server,
        proxy(text, [port_of(server)]) as url,
        raw(url) as wire,
    ):
        assert (await wire.get(HANDSHAKE)).status == 200
        assert (await wire.websocket()).status.startswith("HTTP/1.1 101 ")
    assert seen == ["127.0.0.1", "127.0.0.1"]  # and not HAProxy's own, 127.0.0.2
