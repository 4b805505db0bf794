"""TLS that ends at nginx: what the server knows of it; clients check the certificate."""

import http.client
import re
import ssl
from pathlib import Path
from typing import Any

import pytest
import trio
import trustme

import trio_sio
from tests.support.peers import POLLING, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.proxies import configuration, proxy

pytestmark = [pytest.mark.slow, pytest.mark.node, pytest.mark.nginx]

SHOP = "https://shop.example"


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def nginx(authority: trustme.CA, tmp_path: Path) -> str:
    """The configuration of the documentation, with what it says is to be added for TLS."""
    certificate = authority.issue_cert("127.0.0.1")
    key, chain = tmp_path / "key.pem", tmp_path / "chain.pem"
    certificate.private_key_pem.write_to_path(key)
    for pem in certificate.cert_chain_pems:
        pem.write_to_path(chain, append=True)
    tls = f"listen 8080 ssl;\n        ssl_certificate {chain};\n        ssl_certificate_key {key};"
    return configuration("nginx_one_server.conf").replace("listen 8080;", tls)


@pytest.mark.parametrize("kind", [POLLING, UPGRADING, WEBSOCKET], ids=str)
@pytest.mark.parametrize("is_trusted", [True, False], ids=["trusted", "unknown"])
async def test_tls_ends_at_nginx(
    kind: Kind, is_trusted: bool, nginx: str, authority: trustme.CA
) -> None:
    seen: list[bool] = []

    def look(request: trio_sio.Request) -> None:
        seen.append(request.secure)

    io = trio_sio.Server(
        trusted_proxies="127.0.0.1" if is_trusted else None, origins=SHOP, allow_request=look
    )

    @io.on("who")
    async def who(socket: trio_sio.Socket) -> list[Any]:
        return [socket.handshake.secure, socket.handshake.address, socket.handshake.xdomain]

    async with served(io) as server:
        port = int(server.rpartition(":")[2])
        async with proxy(nginx, [port]) as url, peer() as process:
            client = await process.connect(
                url.replace("http:", "https:"),
                ca=authority.cert_pem.bytes().decode(),
                extraHeaders={"Origin": SHOP},
                **kind.options,
            )
            if kind is UPGRADING:
                await client.hear("upgrade")
            assert await client.call("who") == [[is_trusted, "127.0.0.1", True]]
    assert seen == [is_trusted]


async def test_the_cookie_and_the_origins(nginx: str, authority: trustme.CA) -> None:
    context = ssl.create_default_context()
    authority.configure_trust(context)

    def get(port: int, origin: str) -> tuple[int, str, str]:
        connection = http.client.HTTPSConnection("127.0.0.1", port, context=context)
        fields = {"Origin": origin, "X-Forwarded-Proto": "http"}  # which nginx replaces
        connection.request("GET", "/socket.io/?EIO=3&transport=polling", headers=fields)
        answer = connection.getresponse()
        body = answer.read().decode()
        connection.close()
        return answer.status, answer.headers.get("Set-Cookie", ""), body

    io = trio_sio.Server(trusted_proxies="127.0.0.1", origins=SHOP)
    async with served(io) as server:
        port = int(server.rpartition(":")[2])
        async with proxy(nginx, [port]) as url:
            there = int(url.rpartition(":")[2])
            status, cookie, _ = await trio.to_thread.run_sync(get, there, SHOP)
            assert status == 200
            assert re.fullmatch(r"io=[\w-]+; Path=/; HttpOnly; Secure; SameSite=Strict", cookie)
            status, cookie, body = await trio.to_thread.run_sync(
                get, there, SHOP.replace("https", "http")
            )
            assert (status, cookie) == (403, "")
            assert "the page came by http: name it so" in body
