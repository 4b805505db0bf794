"""Option `proxy_protocol`: connections that begin with the header, and those that do not."""

import logging
import ssl

import pytest
import trio
import trustme

import trio_sio
from tests.support.peers import served

HEADER = b"PROXY TCP4 203.0.113.9 10.0.0.2 51200 443\r\n"
REQUEST = (
    b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
)


async def ask(url: str, data: bytes) -> bytes:
    stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
    answer = b""
    async with stream:
        try:
            await stream.send_all(data)
            async for piece in stream:
                answer += piece
        except trio.BrokenResourceError:
            pass
    return answer


async def test_the_client_has_the_address_of_the_header() -> None:
    seen = []

    def look(request: trio_sio.Request) -> None:
        seen.append((request.remote, request.remote_port))

    io = trio_sio.Server(proxy_protocol=True, allow_request=look)
    async with served(io) as url:
        assert (await ask(url, HEADER + REQUEST)).startswith(b"HTTP/1.1 200 ")
        assert (await ask(url, b"PROXY UNKNOWN\r\n" + REQUEST)).startswith(b"HTTP/1.1 200 ")
    (first, second) = seen
    assert first == ("203.0.113.9", 51200)
    assert second[0] == "127.0.0.1"
    assert second[1] > 0


async def test_connections_are_limited_by_the_real_address() -> None:
    io = trio_sio.Server(proxy_protocol=True, max_connections_per_address=1)
    async with served(io) as url:
        stream = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
        async with stream:
            await stream.send_all(HEADER + REQUEST.replace(b"Connection: close\r\n", b""))
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
            assert (await ask(url, HEADER + REQUEST)).startswith(b"HTTP/1.1 503 ")
            other = HEADER.replace(b"113.9", b"113.8")
            assert (await ask(url, other + REQUEST)).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [(REQUEST, "it does not begin with a header"), (HEADER[:9], "within 0.05 s (head_timeout)")],
)
async def test_a_connection_without_it_is_closed_and_told(
    data: bytes, sentence: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "trio_sio.engine")
    io = trio_sio.Server(proxy_protocol=True, head_timeout=0.05)
    async with served(io) as url:
        assert await ask(url, data) == b""
        while io.statistics().connections:
            await trio.lowlevel.checkpoint()
    assert sum(sentence in line for line in caplog.messages) == 1


async def test_the_header_comes_before_tls() -> None:
    seen = []

    def look(request: trio_sio.Request) -> None:
        seen.append((request.remote, request.secure))

    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    trusting = ssl.create_default_context()
    authority.configure_trust(trusting)
    io = trio_sio.Server(proxy_protocol=True, allow_request=look)
    async with served(io, ssl_context=context) as url:
        below = await trio.open_tcp_stream("127.0.0.1", int(url.rpartition(":")[2]))
        await below.send_all(HEADER)
        stream = trio.SSLStream(below, trusting, server_hostname="127.0.0.1", https_compatible=True)
        async with stream:
            await stream.send_all(REQUEST)
            assert (await stream.receive_some()).startswith(b"HTTP/1.1 200 ")
    assert seen == [("203.0.113.9", True)]
