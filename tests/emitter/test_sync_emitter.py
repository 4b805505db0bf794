"""`SyncRedisEmitter` with a real Redis: what is published, and what JavaScript's clients get."""

import threading
from typing import Any

import pytest
import redis
import redis.asyncio

from tests.support.emitter_audience import EmitterAudience, audience as audience
from tests.support.redis_published import published
from tests.support.redis_server import RedisServer, redis_server as redis_server
from trio_sio.emitter import SyncRedisEmitter
from trio_sio.protocol.cluster.broadcast import decode_broadcast
from trio_sio.protocol.errors import LocalProtocolError

pytestmark = pytest.mark.redis


def test_what_is_published(redis_server: RedisServer) -> None:
    with published(redis_server) as seen, SyncRedisEmitter(redis_server.url, "k") as emitter:
        emitter.emit("a", 1)
        emitter.of("chat").to("r").volatile.emit("b", b"\x01")
        channel, payload = next(seen)
        assert channel == b"k#/#"
        assert decode_broadcast(payload).packet.data == ["a", 1]
        channel, payload = next(seen)
        assert channel == b"k#/chat#r#"
        message = decode_broadcast(payload)
        assert message.packet.data == ["b", b"\x01"]
        assert message.volatile


@pytest.mark.node
def test_javascripts_clients(redis_server: RedisServer, audience: EmitterAudience) -> None:
    emitter = SyncRedisEmitter(redis_server.url)
    emitter.emit("all", {"text": "é😀", "list": [1, None, True, 1.5]})
    emitter.to("b").emit("to one room", b"\x00\xff", {"inside": [b""]})
    emitter.to("a", "b").compress(False).emit("to two rooms")
    emitter.to("a").except_(audience.ids["both"]).emit("but not all")
    emitter.in_("nobody").emit("nobody")
    emitter.binary(False).to("b").emit("as JavaScript's emitter", b"\x01")
    emitter.of("chat").emit("chat", 2**70, "\ud800")
    emitter.of("/chat").to("a").emit("room of chat")
    for namespace in ("/", "/chat"):
        emitter.of(namespace).emit("last")
    emitter.close()
    assert audience.heard("last") == {
        "both": [
            ["all", {"text": "é😀", "list": [1, None, True, 1.5]}],
            ["to one room", b"\x00\xff", {"inside": [b""]}],
            ["to two rooms"],
            ["as JavaScript's emitter", {"type": "Buffer", "data": [1]}],
        ],
        "a": [
            ["all", {"text": "é😀", "list": [1, None, True, 1.5]}],
            ["to two rooms"],
            ["but not all"],
        ],
        "chat": [["chat", 2.0**70, "\N{REPLACEMENT CHARACTER}" * 3], ["room of chat"]],
    }


@pytest.mark.parametrize("decode_responses", [True, False])
def test_with_a_client_that_is_there(redis_server: RedisServer, decode_responses: bool) -> None:
    client = redis.Redis.from_url(redis_server.url, decode_responses=decode_responses)
    with published(redis_server) as seen:
        with SyncRedisEmitter(client) as emitter:
            emitter.emit("a", "\xff", b"\xff")
        assert decode_broadcast(next(seen)[1]).packet.data == ["a", "\xff", b"\xff"]
    assert client.ping()  # it is not ours, and not closed
    client.close()


def test_many_threads_with_one_emitter(redis_server: RedisServer) -> None:
    """Their events have the rooms that each has chosen, and no other's."""
    count, threads = 50, 8
    with published(redis_server) as seen, SyncRedisEmitter(redis_server.url) as emitter:
        chat = emitter.of("/chat")
        barrier = threading.Barrier(threads)

        def emit(name: str) -> None:
            barrier.wait()
            for number in range(count):
                chat.to(name).emit(name, {1.5: number}, name * 50)

        workers = [threading.Thread(target=emit, args=(f"t{n}",)) for n in range(threads)]
        for worker in workers:
            worker.start()
        numbers: dict[str, list[Any]] = {}
        for _ in range(count * threads):
            channel, payload = next(seen)
            message = decode_broadcast(payload)
            data: Any = message.packet.data
            name, members, long = data
            assert channel == f"socket.io#/chat#{name}#".encode()
            assert message.rooms == (name,)
            assert long == name * 50
            numbers.setdefault(name, []).append(members["1.5"])
        for worker in workers:
            worker.join()
    assert numbers == {f"t{n}": list(range(count)) for n in range(threads)}


def test_redis_is_away_and_comes_back(redis_server: RedisServer) -> None:
    with SyncRedisEmitter(redis_server.url) as emitter:
        emitter.emit("a")
        redis_server.kill()
        with pytest.raises(redis.ConnectionError):
            emitter.emit("b")
        redis_server.restart()
        with published(redis_server) as seen:
            emitter.emit("c")
            assert decode_broadcast(next(seen)[1]).packet.data == ["c"]


def test_what_cannot_be_sent_is_not_published(redis_server: RedisServer) -> None:
    with published(redis_server) as seen, SyncRedisEmitter(redis_server.url) as emitter:
        with pytest.raises(LocalProtocolError, match=r"object at args\[0\]"):
            emitter.emit("a", object())
        with pytest.raises(ValueError, match="reserved"):
            emitter.to("a").emit("disconnect")
        with pytest.raises(LocalProtocolError, match="2 binary values"):
            SyncRedisEmitter(redis_server.url, max_attachments=1).emit("a", b"", b"")
        emitter.emit("b")
        assert decode_broadcast(next(seen)[1]).packet.data == ["b"]


def test_a_client_that_does_not_block(redis_server: RedisServer) -> None:
    client: Any = redis.asyncio.Redis.from_url(redis_server.url)
    with pytest.raises(TypeError, match="a client that blocks"):
        SyncRedisEmitter(client).emit("a")


def test_what_is_no_redis() -> None:
    number: Any = 5
    with pytest.raises(TypeError, match="a URL or a client of Redis is needed, not 5"):
        SyncRedisEmitter(number)
    with pytest.raises(TypeError, match="a key must be a str, not 5"):
        SyncRedisEmitter("redis://localhost", number)
    with pytest.raises(ValueError, match="scheme"):
        SyncRedisEmitter("http://localhost")


def test_without_redis_py(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "redis", None)
    with pytest.raises(ImportError, match=r"trio-sio\[redis-emitter\]"):
        SyncRedisEmitter("redis://localhost")


def test_json_default(redis_server: RedisServer) -> None:
    calls: list[object] = []

    def to_json(value: object) -> object:
        calls.append(value)
        return str(value).encode()

    with published(redis_server) as seen:
        with SyncRedisEmitter(redis_server.url, json_default=to_json) as emitter:
            emitter.to("r").emit("price", 1j, [2])
        assert decode_broadcast(next(seen)[1]).packet.data == ["price", b"1j", [2]]
    assert calls == [1j]
    with pytest.raises(TypeError, match="option 'json_default' must be a function"):
        SyncRedisEmitter(redis_server.url, json_default="str")  # type: ignore[arg-type]
