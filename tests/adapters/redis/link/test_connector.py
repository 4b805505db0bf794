"""Connecting: real servers with passwords, users, TLS and Sentinels, and those that refuse."""

import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.support.redis_server import RedisServer, TLSFiles, redis_server, tls_files
from trio_sio.adapters.redis.link.address import Address
from trio_sio.adapters.redis.link.connection import Connection, ConnectionLost
from trio_sio.adapters.redis.link.connector import Connector

__all__ = ["redis_server", "tls_files"]

pytestmark = pytest.mark.redis

MAX = 2**20
SECRET = "s p@x:/ü"


def connector(
    url: str, *, context: ssl.SSLContext | None = None, patience: float = 10.0
) -> Connector:
    address = Address.of(url)
    return Connector(
        address,
        context or address.ssl_context(),
        name=lambda: "a node:1",
        connect_timeout=patience,
        max_message_bytes=MAX,
    )


async def refusal(url: str, *, patience: float = 10.0) -> ConnectionLost:
    """What is said of a URL that cannot be connected to."""
    with pytest.raises(ConnectionLost) as caught:
        await connector(url, patience=patience).open("test")
    assert SECRET not in str(caught.value)
    return caught.value


@asynccontextmanager
async def opened(link: Connector) -> AsyncIterator[Connection]:
    connection = await link.open("test")
    try:
        yield connection
    finally:
        await connection.aclose()


async def test_a_connection_speaks_resp_3_and_has_a_name(redis_server: RedisServer) -> None:
    async with opened(connector(redis_server.url)) as connection:
        assert str(connection.endpoint) == f"127.0.0.1:{redis_server.port}"
        assert await connection.call(b"CLIENT", b"GETNAME") == b"trio_sio:a_node:1:test"
        reply = await connection.call(b"CONFIG", b"GET", b"port")
        assert reply == {b"port": str(redis_server.port).encode()}  # a map, as in RESP 3


async def test_a_unix_socket(redis_server: RedisServer) -> None:
    async with opened(connector(redis_server.unix_url)) as connection:
        assert await connection.call(b"PING") == b"PONG"
    error = await refusal("unix:///nowhere/redis.sock")
    assert str(error) == "cannot connect to /nowhere/redis.sock: No such file or directory"


async def test_a_password() -> None:
    with RedisServer(password=SECRET) as server:
        for url in (server.url, server.unix_url):
            async with opened(connector(url)) as connection:
                assert await connection.call(b"PING") == b"PONG"
        error = await refusal(f"redis://127.0.0.1:{server.port}")
        assert str(error) == "Redis wants a password, and the URL has none"
        assert error.is_refusal
        error = await refusal(f"redis://:wrong@127.0.0.1:{server.port}")
        assert str(error) == "Redis refuses the user or the password"
        assert error.is_refusal


async def test_a_user() -> None:
    rules = "user bob on >word &socket.io* +hello +publish +subscribe +ping +client"
    with RedisServer(config=(rules,)) as server:
        place = f"127.0.0.1:{server.port}"
        async with opened(connector(f"redis://bob:word@{place}")) as connection:
            assert await connection.call(b"PUBLISH", b"socket.io#", b"x") == 0
        error = await refusal(f"redis://bob:wrong@{place}")
        assert str(error) == "Redis refuses the user or the password"


async def test_nobody_listens(redis_server: RedisServer) -> None:
    redis_server.kill()
    error = await refusal(redis_server.url)
    text = f"cannot connect to 127.0.0.1:{redis_server.port}: Connection refused"
    assert str(error) == text
    assert not error.is_refusal


async def test_a_host_without_an_address() -> None:
    assert str(await refusal("redis://name.invalid")).startswith(
        "cannot connect to name.invalid:6379: "
    )


async def test_what_is_no_name_of_a_host() -> None:
    for host in ("a..b", "a" * 70):
        error = await refusal(f"redis://{host}")
        assert str(error).startswith(f"cannot connect to {host}:6379: ")


async def test_a_server_that_hangs(redis_server: RedisServer) -> None:
    redis_server.pause()
    error = await refusal(redis_server.url, patience=0.2)
    assert str(error) == f"redis://127.0.0.1:{redis_server.port} does not answer in 0.2 s"


async def test_too_many_clients() -> None:
    with RedisServer(config=("maxclients 2",)) as server:
        link = connector(server.url)
        async with opened(link):  # and the server's own
            error = await refusal(server.url)
            assert "max number of clients reached" in str(error)
            assert not error.is_refusal


# -- servers that are no Redis, or an old one ------------------------------------------------------


@asynccontextmanager
async def answering(reply: bytes) -> AsyncIterator[str]:
    """The place of a server that answers everything with these bytes."""

    async def answer(stream: trio.SocketStream) -> None:
        await stream.receive_some()
        await stream.send_all(reply)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, answer, listeners)
        yield f"127.0.0.1:{listeners[0].socket.getsockname()[1]}"
        nursery.cancel_scope.cancel()


@pytest.mark.parametrize(
    ("reply", "text", "is_refusal"),
    [
        (
            f"-ERR unknown command `HELLO`, with args beginning with: `3`, `{SECRET}`\r\n",
            "Redis does not know HELLO; version 6 or later is needed",
            True,
        ),
        ("-NOPROTO no\r\n", "Redis does not speak RESP 3; version 6 or later is needed", True),
        ("-NOPERM no\r\n", "Redis does not allow the user to log in with HELLO", True),
        (f"-LOADING {SECRET}\r\n", "Redis refuses the connection: LOADING …", False),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", "what Redis sends is not RESP 3", False),
        ("", "Redis closed the connection", False),
    ],
)
async def test_what_a_server_says_is_told_without_the_password(
    reply: str, text: str, *, is_refusal: bool
) -> None:
    async with answering(reply.encode()) as place:
        error = await refusal(f"redis://:s%20p%40x%3A%2F%C3%BC@{place}")
    assert str(error) == text
    assert error.is_refusal is is_refusal


# -- TLS -------------------------------------------------------------------------------------------


@pytest.fixture
def tls_server(tls_files: TLSFiles) -> Iterator[RedisServer]:
    with RedisServer(tls=tls_files) as server:
        yield server


async def test_tls_by_the_url(tls_server: RedisServer, tls_files: TLSFiles) -> None:
    url = f"{tls_server.url}?ssl_ca_certs={tls_files.authority}"
    async with opened(connector(url)) as connection:
        assert await connection.call(b"PING") == b"PONG"
    async with opened(connector(f"{tls_server.url}?ssl_cert_reqs=none")) as connection:
        assert await connection.call(b"PING") == b"PONG"


async def test_tls_by_a_context(tls_server: RedisServer, tls_files: TLSFiles) -> None:
    context = ssl.create_default_context(cafile=tls_files.authority)
    async with opened(connector(tls_server.url, context=context)) as connection:
        assert await connection.call(b"ECHO", bytes(100_000)) == bytes(100_000)
        tls_server.kill()
        with pytest.raises(ConnectionLost):
            await connection.call(b"PING")


async def test_a_certificate_of_somebody_unknown_is_refused(tls_server: RedisServer) -> None:
    error = await refusal(tls_server.url)
    assert "no TLS with localhost" in str(error)
    assert "certificate verify failed" in str(error)
    assert error.is_refusal


async def test_no_tls_where_there_is_some(tls_server: RedisServer) -> None:
    place = tls_server.url.removeprefix("rediss")
    assert "the connection" in str(await refusal(f"redis{place}"))


async def test_tls_where_there_is_none(redis_server: RedisServer) -> None:
    place = redis_server.url.removeprefix("redis")  # it waits for the end of the line
    assert "does not answer in 0.5 s" in str(await refusal(f"rediss{place}", patience=0.5))
    async with answering(b"-ERR what\r\n") as other:
        assert f"no TLS with {other}" in str(await refusal(f"rediss://{other}"))


# -- Sentinels -------------------------------------------------------------------------------------


def watching(server: RedisServer) -> tuple[str, ...]:
    return (f"sentinel monitor mymaster 127.0.0.1 {server.port} 1",)


async def test_a_sentinel_says_where_the_primary_is(redis_server: RedisServer) -> None:
    with RedisServer(sentinel=True, config=watching(redis_server)) as sentinel:
        place = f"127.0.0.1:{sentinel.port}"
        link = connector(f"redis+sentinel://127.0.0.1:1,{place}/mymaster")
        for _ in range(2):  # the second time it asks the one that has answered
            async with opened(link) as connection:
                assert connection.endpoint.port == redis_server.port
        error = await refusal(f"redis+sentinel://{place}/other")
        assert str(error) == f"Sentinel {place}: it knows no service 'other'"
        redis_server.command("REPLICAOF", "127.0.0.1", 1)
        error = await refusal(f"redis+sentinel://{place}/mymaster")
        assert str(error) == f"127.0.0.1:{redis_server.port} is no longer the primary"


async def test_no_sentinel_answers(redis_server: RedisServer) -> None:
    other = f"127.0.0.1:{redis_server.port}"
    error = await refusal(f"redis+sentinel://127.0.0.1:1,{other}/mymaster")
    first, second = str(error).split("; ")
    assert first.endswith("cannot connect to 127.0.0.1:1: Connection refused")
    assert second.startswith(f"Sentinel {other}: it refuses: ERR unknown command")
    redis_server.pause()
    error = await refusal(f"redis+sentinel://{other}/mymaster", patience=0.4)
    assert str(error) == f"Sentinel {other} does not answer"


async def test_sentinels_with_a_password(redis_server: RedisServer) -> None:
    with RedisServer(sentinel=True, password=SECRET, config=watching(redis_server)) as sentinel:
        url = f"redis+sentinel://127.0.0.1:{sentinel.port}/mymaster"
        async with opened(connector(f"{url}?sentinel_password=s%20p%40x:/%C3%BC")) as connection:
            assert connection.endpoint.port == redis_server.port
        assert "NOAUTH" in str(await refusal(url))
        error = await refusal(f"{url}?sentinel_password=wrong")
        assert "Redis refuses the user or the password" in str(error)
