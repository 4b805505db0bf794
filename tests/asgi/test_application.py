"""`Application`: what it answers, when it lives, and what it says where it cannot live."""

import asyncio
from typing import Any

import pytest

import trio_sio
from tests.support.asgi_peer import answered, asked, http_scope, websocket_scope
from trio_sio.asgi import Application
from trio_sio.asgi.types import Message, Receive, Scope, Send

HANDSHAKE = "EIO=3&transport=polling&b64=1"


async def other(scope: Scope, receive: Receive, send: Send) -> None:
    """Another application, without a lifespan."""
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"other"})


async def test_it_answers_at_its_path() -> None:
    async with trio_sio.Server() as io:
        peer = await answered(Application(io, other), http_scope("/socket.io/", HANDSHAKE))
        assert peer.status == 200
        assert b'"upgrades":["websocket"]' in peer.body
        assert len(io.engine.sessions) == 1


async def test_other_paths() -> None:
    async with trio_sio.Server() as io:
        elsewhere = http_scope("/elsewhere")
        assert (await answered(Application(io, other), elsewhere)).body == b"other"
        alone = await answered(Application(io), elsewhere)
        assert alone.status == 404
        assert b"this server answers at /socket.io/" in alone.body


async def test_a_server_that_is_not_open() -> None:
    with pytest.raises(BaseExceptionGroup) as caught:
        await answered(Application(trio_sio.Server()), http_scope("/socket.io/", HANDSHAKE))
    assert caught.group_contains(RuntimeError, match="not open.*put `async with io:` around it")


def test_it_takes_a_server() -> None:
    with pytest.raises(TypeError, match=r"takes a trio_sio.Server"):
        Application(other)  # type: ignore[arg-type]


# -- the lifespan ------------------------------------------------------------------------


async def test_lifespan() -> None:
    io = trio_sio.Server()
    log: list[str] = []

    async def living(scope: Scope, receive: Receive, send: Send) -> None:
        for stage in ("startup", "shutdown"):
            log.append((await receive())["type"])
            log.append(str(io.engine.serving))
            await send({"type": f"lifespan.{stage}.complete"})

    async with asked(Application(io, living), {"type": "lifespan", "state": {}}) as peer:
        peer.put("lifespan.startup")
        await peer.sent_last("lifespan.startup.complete")
        assert io.engine.serving
        peer.put("lifespan.shutdown")
        await peer.sent_last("lifespan.shutdown.complete")
    assert log == ["lifespan.startup", "False", "lifespan.shutdown", "False"]


async def test_the_lifespan_of_a_server_that_is_open_already() -> None:
    async with trio_sio.Server() as io:
        async with asked(Application(io), {"type": "lifespan"}) as peer:
            peer.put("lifespan.startup")
            await peer.sent_last("lifespan.startup.complete")
            peer.put("lifespan.shutdown")
            await peer.sent_last("lifespan.shutdown.complete")
        assert io.engine.serving


async def test_a_lifespan_that_cannot_begin() -> None:
    async def broken(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.failed", "message": "no database"})

    async with asked(Application(trio_sio.Server(), broken), {"type": "lifespan"}) as peer:
        peer.put("lifespan.startup")
        message = await peer.sent_last("lifespan.startup.failed")
    assert "no database" in message["message"]


# -- where it cannot live ----------------------------------------------------------------


def in_asyncio(app: Any, kind: str) -> list[Message]:  # noqa: ANN401
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "lifespan.startup"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "lifespan"} if kind == "lifespan" else http_scope("/socket.io/", HANDSHAKE)
    asyncio.run(app(scope, receive, send))
    return sent


def test_under_asyncio_it_does_not_start() -> None:
    (message,) = in_asyncio(Application(trio_sio.Server()), "lifespan")
    assert message["type"] == "lifespan.startup.failed"
    assert "this is a Trio server" in message["message"]
    assert "hypercorn --worker-class trio" in message["message"]


def test_under_asyncio_it_answers_nothing() -> None:
    with pytest.raises(RuntimeError, match="this is a Trio server"):
        in_asyncio(Application(trio_sio.Server()), "http")


def test_a_server_is_no_application() -> None:
    (message,) = in_asyncio(trio_sio.Server(), "lifespan")
    assert message["type"] == "lifespan.startup.failed"
    assert "trio_sio.asgi.Application(io)" in message["message"]
    with pytest.raises(RuntimeError, match=r"trio_sio\.asgi\.Application\(io\)"):
        in_asyncio(trio_sio.Server(), "http")


# -- WebSockets --------------------------------------------------------------------------

WEBSOCKET = "EIO=3&transport=websocket"


async def test_a_refused_handshake() -> None:
    async with trio_sio.Server(origins=["http://here"]) as io:
        headers = [(b"origin", b"http://elsewhere")]
        async with asked(Application(io), websocket_scope(WEBSOCKET, headers=headers)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: peer.is_over)
            assert peer.sent[0]["type"] == "websocket.http.response.start"
            assert peer.status == 400
        scope = websocket_scope(WEBSOCKET, headers=headers, extensions={})
        async with asked(Application(io), scope) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: peer.is_over)
            assert [one["type"] for one in peer.sent] == ["websocket.close"]


async def test_a_session_by_websocket() -> None:
    async with trio_sio.Server() as io:
        scope = websocket_scope(WEBSOCKET, headers=[(b"sec-websocket-protocol", b"a, b")])
        async with asked(Application(io), scope) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: "40" in peer.texts)
            assert peer.sent[0] == {"type": "websocket.accept", "subprotocol": "a"}
            (session,) = io.engine.sessions.values()
            peer.put("websocket.receive", text="2")
            await peer.wait(lambda: "3" in peer.texts)
            peer.put("websocket.disconnect", code=1005)
            await peer.wait(lambda: peer.is_over)
        await session.wait_closed()


# -- options and functions of the engine -------------------------------------------------


@pytest.mark.parametrize("root", ["", "/app"])
async def test_the_path_without_a_slash(root: str) -> None:
    for has_slash, body in ((True, b"other"), (False, b'"upgrades":["websocket"]')):
        async with trio_sio.Server(add_trailing_slash=has_slash) as io:
            scope = http_scope(f"{root}/socket.io", HANDSHAKE, root_path=root)
            peer = await answered(Application(io, other), scope)
            assert peer.status == 200
            assert body in peer.body


@pytest.mark.parametrize("version", ["3", "4"])
async def test_fields_of_the_answer_to_a_websockets_handshake(version: str) -> None:
    async with trio_sio.Server(cors={"origin": True}) as io:
        io.engine.on_headers(lambda headers, request, initial: headers.append(("X-Node", "é")))
        query = WEBSOCKET.replace("3", version)
        scope = websocket_scope(query, headers=[(b"origin", b"http://elsewhere")])
        async with asked(Application(io), scope) as peer:
            peer.put("websocket.connect")
            accepted = await peer.sent_last("websocket.accept")
            assert accepted["headers"] == [
                (b"vary", b"Origin"),
                (b"access-control-allow-origin", b"http://elsewhere"),
                (b"x-node", b"\xe9"),
            ]


@pytest.mark.parametrize("version", ["3", "4"])
async def test_middleware_of_the_engine(version: str) -> None:
    async with trio_sio.Server() as io:
        io.engine.use(lambda request: trio_sio.Response.text(401, "who are you?"))
        query = HANDSHAKE.replace("3", version)
        peer = await answered(Application(io), http_scope("/socket.io/", query))
        assert (peer.status, peer.body) == (401, b"who are you?\n")
        async with asked(Application(io), websocket_scope(query)) as peer:
            peer.put("websocket.connect")
            await peer.wait(lambda: peer.is_over)
            assert peer.sent[0]["type"] == "websocket.http.response.start"
            assert (peer.status, peer.body) == (401, b"who are you?\n")
