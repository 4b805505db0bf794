"""The same over TLS, with a certificate that the client checks."""

import ssl

import pytest
import trio
import trustme

import trio_sio
from tests.support.peers import POLLING, UPGRADING, WEBSOCKET, Kind, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

PICTURE = bytes(range(256)) * 4000


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def ssl_context(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    return context


@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET, POLLING], ids=str)
async def test_tls(
    kind: Kind, make_server: MakeServer, authority: trustme.CA, ssl_context: ssl.SSLContext
) -> None:
    io = make_server()

    @io.on("say")
    async def say(socket: trio_sio.Socket, *args: trio_sio.JSON) -> list[trio_sio.JSON]:
        await socket.emit("said", *args)
        return [socket.handshake.secure, *args]

    async with served(io, ssl_context=ssl_context) as url, peer() as process:
        assert url.startswith("https:")
        trusted = {"ca": authority.cert_pem.bytes().decode(), **kind.options}
        client = await process.connect(url, hear=["said"], **trusted)
        if kind.transports is None:
            await client.hear("upgrade")
        for value in ("größer \U0001f600", PICTURE, [b"", {"a": PICTURE}]):
            assert await client.call("say", value) == [[True, value]]
            assert await client.hear("said") == [value]
        await client.close()
        assert await client.hear("disconnect") == ["io client disconnect"]


async def test_a_client_that_does_not_trust_us_goes(
    make_server: MakeServer, ssl_context: ssl.SSLContext
) -> None:
    io = make_server()
    async with served(io, ssl_context=ssl_context) as url, peer() as process:
        stranger = await process.open(url, reconnection=False)
        await stranger.hear("connect_error")
        assert stranger.unheard("connect") == 0
    assert len(io.router.clients) == 0


async def test_the_cookie_is_for_tls_alone(
    make_server: MakeServer, authority: trustme.CA, ssl_context: ssl.SSLContext
) -> None:
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    async with served(make_server(), ssl_context=ssl_context) as url:
        port = int(url.rpartition(":")[2])
        stream = await trio.open_ssl_over_tcp_stream(
            "127.0.0.1", port, ssl_context=trusting, https_compatible=True
        )
        async with stream:
            target = b"/socket.io/?EIO=3&transport=polling"
            head = b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
            await stream.send_all(head)
            answer = b""
            while data := await stream.receive_some():
                answer += data
    assert b"; Path=/; HttpOnly; Secure; SameSite=Strict\r\n" in answer
