"""The view's page before an ASGI application: both answer, and the application has its life."""

import trio_sio
from tests.support.peers import served
from tests.support.raw import raw
from trio_sio.admin import Admin
from trio_sio.asgi import Fallback
from trio_sio.asgi.types import Receive, Scope, Send


async def test_page_and_application() -> None:
    told: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            for event in ("startup", "shutdown"):
                assert (await receive())["type"] == f"lifespan.{event}"
                told.append(event)
                await send({"type": f"lifespan.{event}.complete"})
            return
        headers = [(b"content-type", b"text/plain")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": scope["path"].encode()})

    io = trio_sio.Server(fallback=Fallback(app))
    Admin(io, check=lambda socket: False)
    async with served(io) as url, raw(url) as wire:
        page = await wire.get("/admin/")
        assert (page.status, b"Under the hood" in page.body) == (200, True)
        assert (await wire.get("/other")).body == b"/other"
        assert told == ["startup"]
    assert told == ["startup", "shutdown"]
