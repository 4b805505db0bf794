"""`RedisEmitter` with a real Redis: what is published, and what happens when Redis is away."""

import os
import ssl
from functools import partial
from typing import Any

import pytest
import trio

from tests.support.emitter_audience import EmitterAudience, audience as audience
from tests.support.redis_published import published
from tests.support.redis_server import RedisServer, redis_server as redis_server
from trio_sio.emitter import RedisEmitter, SyncRedisEmitter
from trio_sio.protocol.cluster.broadcast import decode_broadcast
from trio_sio.protocol.errors import LocalProtocolError

pytestmark = pytest.mark.redis


def data_of(message: tuple[bytes, bytes]) -> Any:  # noqa: ANN401
    return decode_broadcast(message[1]).packet.data


async def test_what_is_published(redis_server: RedisServer) -> None:
    with published(redis_server) as seen:
        async with RedisEmitter(redis_server.url, "k") as emitter:
            await emitter.emit("a", 1)
            await emitter.of("chat").to("r").volatile.emit("b", b"\x01")
        first, second = next(seen), next(seen)
    assert first[0] == b"k#/#"
    assert data_of(first) == ["a", 1]
    assert second[0] == b"k#/chat#r#"
    assert data_of(second) == ["b", b"\x01"]


async def test_the_same_as_from_the_one_that_blocks(redis_server: RedisServer) -> None:
    with published(redis_server) as seen, SyncRedisEmitter(redis_server.url) as blocking:
        async with RedisEmitter(redis_server.url) as emitter:
            blocking.of("/chat").to("a", "b").except_("x").json.emit("e", {"k": [1, b"", "é"]})
            await emitter.of("/chat").to("a", "b").except_("x").json.emit("e", {"k": [1, b"", "é"]})
        assert next(seen) == next(seen)


@pytest.mark.node
async def test_javascripts_clients(redis_server: RedisServer, audience: EmitterAudience) -> None:
    async with RedisEmitter(redis_server.unix_url) as emitter:
        await emitter.emit("all", {"text": "é😀"})
        await emitter.to("b").emit("to one room", b"\x00\xff")
        await emitter.in_("a", "b").except_(audience.ids["both"]).emit("but not all")
        for namespace in ("/", "chat"):
            await emitter.of(namespace).emit("last")
    assert audience.heard("last") == {
        "both": [["all", {"text": "é😀"}], ["to one room", b"\x00\xff"]],
        "a": [["all", {"text": "é😀"}], ["but not all"]],
    }


async def test_many_tasks_with_one_emitter(redis_server: RedisServer) -> None:
    count, tasks = 50, 20

    async def emit(name: str) -> None:
        for number in range(count):
            await emitter.to(name).emit(name, number)

    with published(redis_server) as seen:
        async with RedisEmitter(redis_server.url) as emitter, trio.open_nursery() as nursery:
            for task in range(tasks):
                nursery.start_soon(emit, f"t{task}")
        numbers: dict[str, list[int]] = {}
        for _ in range(count * tasks):
            channel, payload = next(seen)
            name, number = data_of((channel, payload))
            assert channel == f"socket.io#/#{name}#".encode()
            numbers.setdefault(name, []).append(number)
    assert numbers == {f"t{task}": list(range(count)) for task in range(tasks)}


async def test_redis_is_away_and_comes_back(redis_server: RedisServer) -> None:
    async with RedisEmitter(redis_server.url) as emitter:
        await emitter.emit("a")
        redis_server.kill()
        with pytest.raises(trio.BrokenResourceError, match="cannot connect to 127"):
            await emitter.emit("b")
        redis_server.restart()
        with published(redis_server) as seen:
            await emitter.emit("c")
            assert data_of(next(seen)) == ["c"]


async def test_a_connection_that_was_lost_meanwhile_is_not_noticed(
    redis_server: RedisServer,
) -> None:
    async with RedisEmitter(redis_server.url) as emitter:
        await emitter.emit("a")
        for number in range(3):
            assert redis_server.kill_clients("normal") >= 1
            with published(redis_server) as seen:
                await emitter.emit("b", number)
                assert data_of(next(seen)) == ["b", number]


async def test_redis_shows_whose_connection_it_is(redis_server: RedisServer) -> None:
    async with RedisEmitter(redis_server.url) as emitter:
        await emitter.emit("a")
        (name,) = [
            one["name"]
            for one in redis_server.client.client_list()
            if one["name"].startswith("trio_sio:")
        ]
    assert name.endswith(f":{os.getpid()}:emitter")


async def test_redis_hangs(redis_server: RedisServer) -> None:
    async with RedisEmitter(redis_server.url, timeout=0.2) as emitter:
        await emitter.emit("a")
        redis_server.pause()
        with pytest.raises(trio.BrokenResourceError, match=r"has not answered in 0.2 s"):
            await emitter.emit("b")
        with pytest.raises(trio.BrokenResourceError, match=r"in 0.2 s"):
            await emitter.emit("c")
        redis_server.resume()
        with published(redis_server) as seen:
            await emitter.emit("d")
            assert data_of(next(seen)) == ["d"]


async def test_redis_refuses() -> None:
    with RedisServer(password="secret") as server:
        server.command("ACL", "SETUSER", "reader", "on", ">word", "allcommands", "~*")
        url = server.url.replace(":secret@", "reader:word@")
        async with RedisEmitter(url) as emitter:
            with pytest.raises(trio.BrokenResourceError, match="Redis refuses the message: NOPERM"):
                await emitter.emit("a")
            server.command("ACL", "SETUSER", "reader", "allchannels")
            await emitter.emit("a")
        async with RedisEmitter(server.url.replace("secret", "wrong")) as emitter:
            with pytest.raises(trio.BrokenResourceError, match="refuses the user") as refused:
                await emitter.emit("a")
            assert "wrong" not in str(refused.value)


async def test_what_cannot_be_sent_is_not_published(redis_server: RedisServer) -> None:
    with published(redis_server) as seen:
        async with RedisEmitter(redis_server.url, max_attachments=1) as emitter:
            with pytest.raises(LocalProtocolError, match=r"object at args\[0\]"):
                await emitter.emit("a", object())
            with pytest.raises(ValueError, match="reserved"):
                await emitter.to("a").emit("disconnect")
            with pytest.raises(LocalProtocolError, match="2 binary values"):
                await emitter.emit("a", b"", b"")
            await emitter.emit("b")
        assert data_of(next(seen)) == ["b"]


async def test_closed(redis_server: RedisServer) -> None:
    async with RedisEmitter(redis_server.url) as emitter:
        await emitter.emit("a")
    with pytest.raises(trio.ClosedResourceError):
        await emitter.emit("b")
    await emitter.aclose()


def test_options_are_checked() -> None:
    number: Any = 5
    with pytest.raises(TypeError, match="must be a str, not int"):
        RedisEmitter(number)
    with pytest.raises(TypeError, match="a key must be a str, not 5"):
        RedisEmitter("redis://localhost", number)
    with pytest.raises(ValueError, match="must begin with one of redis://"):
        RedisEmitter("http://localhost")
    with pytest.raises(ValueError, match="timeout"):
        RedisEmitter("redis://localhost", timeout=0)
    with pytest.raises(ValueError, match="rediss"):
        RedisEmitter("redis://localhost", ssl_context=ssl.create_default_context())


async def test_one_trio_run_uses_it_at_a_time() -> None:
    emitter = RedisEmitter("redis://127.0.0.1:1")

    async def emit() -> None:
        with pytest.raises(trio.BrokenResourceError):
            await emitter.of("/chat").to("r").volatile.emit("x")

    for _ in range(2):
        await trio.to_thread.run_sync(trio.run, emit)  # that run has ended
    await emit()
    wrong = pytest.raises(RuntimeError, match=r"another Trio run.*trio\.from_thread\.run\(emitter")
    for call in (partial(emitter.emit, "x"), partial(emitter.to("r").emit, "x"), emitter.aclose):
        with wrong:
            await trio.to_thread.run_sync(trio.run, call)
        with pytest.raises(RuntimeError, match=r"emitter.*Trio does not run in this thread"):
            await trio.to_thread.run_sync(partial(call().send, None))
    await trio.to_thread.run_sync(partial(trio.from_thread.run, emitter.aclose))
    with pytest.raises(trio.ClosedResourceError):
        await emitter.emit("x")


async def test_json_default(redis_server: RedisServer) -> None:
    with published(redis_server) as seen:
        async with RedisEmitter(redis_server.url, json_default=str) as emitter:
            await emitter.emit("price", 1j, [2])
        assert data_of(next(seen)) == ["price", "1j", [2]]
    with pytest.raises(TypeError, match="option 'json_default' must be a function"):
        RedisEmitter(redis_server.url, json_default="str")  # type: ignore[arg-type]
