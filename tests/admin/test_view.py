"""Who may see the view, its buttons, and its page beside the application's."""

import pytest
from trio.testing import MockClock

import trio_sio
from trio_sio.abc import WebApplication
from trio_sio.admin import Admin
from trio_sio.testing import connect


def nobody(socket: trio_sio.Socket) -> bool:
    return False


def everybody(socket: trio_sio.Socket) -> bool:
    return True


def by_token(socket: trio_sio.Socket) -> bool:
    return socket.handshake.query.get("token") == "right"


async def later(socket: trio_sio.Socket) -> bool:
    return by_token(socket)


async def refusing(socket: trio_sio.Socket) -> bool:
    raise trio_sio.ConnectionRefused("Only on weekdays.")


@pytest.mark.parametrize("check", [by_token, later])
async def test_who_passes_the_check_is_let_in(autojump_clock: MockClock, check: object) -> None:
    io = trio_sio.Server()
    Admin(io, check=check)  # type: ignore[arg-type]  # one of two
    async with io:
        async with connect(io, "/admin", query={"token": "right"}) as page:
            event, hello = await page.receive()
            assert (event, hello["title"]) == ("hello", "Under the hood")
        with pytest.raises(trio_sio.ConnectionRefused, match="may not see"):
            async with connect(io, "/admin", query={"token": "wrong"}):
                pass


async def test_the_check_may_say_why(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    Admin(io, check=refusing)
    with pytest.raises(trio_sio.ConnectionRefused, match="weekdays"):
        async with connect(io, "/admin"):
            pass


@pytest.mark.parametrize("verdict", [None, 1, "right", object()])
async def test_a_verdict_that_is_no_bool_lets_nobody_in(
    autojump_clock: MockClock, verdict: object, caplog: pytest.LogCaptureFixture
) -> None:
    io = trio_sio.Server()
    Admin(io, check=lambda socket: verdict)  # type: ignore[arg-type, return-value]
    with pytest.raises(trio_sio.ConnectionRefused, match="Internal server error"):
        async with connect(io, "/admin", raise_errors=False):
            pass
    assert "check must return True or False" in caplog.text


def test_there_has_to_be_a_check() -> None:
    with pytest.raises(TypeError):
        Admin(trio_sio.Server())  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="check must be a function"):
        Admin(trio_sio.Server(), check=True)  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["admin/", "/admin", ""])
def test_path(path: str) -> None:
    io = trio_sio.Server()
    if not path:
        Admin(io, check=nobody, path=None)
        assert io.engine.options.fallback is None
        return
    with pytest.raises(ValueError, match="slash"):
        Admin(io, check=nobody, path=path)


async def test_too_late(autojump_clock: MockClock) -> None:
    async with trio_sio.Server() as io:
        with pytest.raises(RuntimeError, match="before the server serves"):
            Admin(io, check=nobody)


async def get(io: trio_sio.Server, path: str) -> trio_sio.Response:
    assert io.engine.options.fallback is not None
    assert not isinstance(io.engine.options.fallback, WebApplication)
    response = await io.engine.options.fallback(trio_sio.Request("GET", path))
    assert isinstance(response, trio_sio.Response)
    return response


async def test_the_page_stands_before_the_fallback() -> None:
    async def own(request: trio_sio.Request) -> trio_sio.Response:
        return trio_sio.Response.text(200, f"own {request.path}")

    io = trio_sio.Server(fallback=own)
    view = Admin(io, check=nobody, path="/ops/")
    io.path = "/talk"
    assert (await get(io, "/")).body == b"own /\n"
    assert (await get(io, "/opsx")).body == b"own /opsx\n"
    page = await get(io, "/ops/")
    assert isinstance(page.body, bytes)
    assert b'data-path="/talk"' in page.body
    assert (await view.page(trio_sio.Request("GET", "/ops/view.js"))).status == 200
    assert (await view.page(trio_sio.Request("GET", "/other"))).status == 404


async def test_without_a_fallback_other_paths_are_not_found() -> None:
    io = trio_sio.Server()
    view = Admin(io, check=nobody)
    assert (await get(io, "/")).status == 404
    assert "0 operators" in repr(view)
