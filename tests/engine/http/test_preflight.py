"""OPTIONS: what pages of other origins may send."""

import logging
from collections.abc import Collection

import pytest
from trio.testing import MockClock

import trio_sio
from tests.engine.conftest import Recorder
from trio_sio.engine.http.cors import Preflight
from trio_sio.http import Headers, Request
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_http import WireResponse

ASKED = {
    "Origin": "http://a",
    "Access-Control-Request-Method": "GET",
    "Access-Control-Request-Headers": "authorization",
}


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


def asking(fields: str) -> Request:
    return Request("OPTIONS", "/", Headers([("Access-Control-Request-Headers", fields)]))


def allowed(response: WireResponse | trio_sio.Response) -> list[str]:
    """Return the names of the fields that a page may send, as a browser compares them."""
    fields = dict(iter(response.headers))
    names = {name.lower(): value for name, value in fields.items()}["access-control-allow-headers"]
    return [name.strip().lower() for name in names.split(",")]


@pytest.mark.parametrize(
    ("option", "asked", "answered"),
    [
        ((), "authorization", ["content-type"]),
        ("Authorization", "authorization", ["content-type", "authorization"]),
        (["Authorization", "X-A"], "", ["content-type", "authorization", "x-a"]),
        (["content-type", "X-A"], "x-b", ["content-type", "x-a"]),
        ({"X-A"}, "x-a,x-b", ["content-type", "x-a"]),
        ("*", "", ["content-type"]),
        ("*", "authorization, X-A,x-a", ["content-type", "authorization", "x-a"]),
        (["*"], "x-a,, ,a b,é,*", ["content-type", "x-a", "*"]),
    ],
)
def test_fields_that_may_be_sent(
    option: str | Collection[str], asked: str, answered: list[str]
) -> None:
    assert allowed(Preflight(option).answer(asking(asked), 3)) == answered


@pytest.mark.parametrize(
    ("option", "asked", "sentence"),
    [
        ((), "content-type", ""),
        ((), "", ""),
        ("*", "x-a", ""),
        ("X-A", "x-a", ""),
        (
            "X-A",
            "x-a,x-b,x-c",
            "option 'allow_headers' does not name 'x-b'; pages may send 'Content-Type', 'X-A'",
        ),
    ],
)
def test_what_may_not_be_sent_is_explained(
    option: str | Collection[str], asked: str, sentence: str
) -> None:
    assert Preflight(option).explain(asking(asked), 3) == sentence


@pytest.mark.parametrize(
    ("option", "asked", "answered"),
    [
        ((), "x-a,x-b", ["content-type", "x-a", "x-b"]),
        ((), "", ["content-type"]),
        ("*", "x-a", ["content-type", "x-a"]),
        ("X-A", "x-a,x-b", ["content-type", "x-a"]),
    ],
)
def test_clients_of_4_may_send_any_field_unless_some_are_named(
    option: str | Collection[str], asked: str, answered: list[str]
) -> None:
    response = Preflight(option).answer(asking(asked), 4)
    assert (response.status, allowed(response)) == (204, answered)
    assert bool(Preflight(option).explain(asking(asked), 4)) is (option == "X-A")


QUERIES = [
    *("?EIO=3&transport=polling", "?EIO=3&transport=polling&sid=nobody", "?transport=pigeon"),
    *("", "?", "?EIO=4&transport=polling", "?EIO=3&transport=websocket", "?transport=polling&j=0"),
    *("?transport=polling&transport=polling", "?sid=&sid=" + "&a=b" * 1000),
]


@pytest.mark.parametrize("query", QUERIES)
async def test_it_is_answered_whatever_the_query_says(
    query: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(allow_headers="Authorization"), recorder) as wire:
        response = await wire.request("OPTIONS", f"/engine.io/{query}", ASKED)
        assert (response.status, response.body) == (204 if "EIO=4" in query else 200, b"")
        assert response.headers["access-control-allow-origin"] == "http://a"
        assert response.headers["access-control-allow-credentials"] == "true"
        assert response.headers["access-control-allow-methods"] == "GET, POST"
        assert response.headers["access-control-max-age"] == "7200"
        assert allowed(response) == ["content-type", "authorization"]
        assert "set-cookie" not in response.headers
        assert "access-control-allow-private-network" not in response.headers
        assert wire.engine.sessions == {}


async def test_a_session_is_not_touched_by_it(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake(headers={"Origin": "http://a"})
        await session.poller.send_request("GET", session.target)  # held
        for _ in range(3):
            assert (await wire.request("OPTIONS", session.target, ASKED)).status == 200
        await session.post("4a")
        assert (await session.poller.receive_response()).text == "2:4a"
        websocket = await session.upgrade()
        assert (await wire.request("OPTIONS", session.target, ASKED)).status == 200
        await websocket.send("4b")
        assert await websocket.receive() == "4b"


@pytest.mark.parametrize("query", QUERIES[:3])
@pytest.mark.parametrize("origins", [["http://b"], lambda origin: origin == "http://b"])
async def test_a_page_that_is_not_welcome_may_send_nothing(
    origins: trio_sio.options.Origins, query: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(origins=origins, allow_headers="*"), recorder) as wire:
        response = await wire.request("OPTIONS", f"/engine.io/{query}", ASKED)
        assert response.status == 403
        assert [name for name, _ in response.headers if name.startswith("access-")] == []
        welcome = {**ASKED, "Origin": "http://b"}
        response = await wire.request("OPTIONS", f"/engine.io/{query}", welcome)
        assert response.headers["access-control-allow-origin"] == "http://b"


async def test_the_application_is_not_asked_about_a_question(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    """It comes without the credentials that `allow_request` looks for."""

    def allow(request: trio_sio.Request) -> bool:
        return request.headers.get("authorization") == "Bearer x"

    server = engine(allow_request=allow, allow_headers=["Authorization"])
    async with open_wire(server, recorder) as wire:
        assert (await wire.request("OPTIONS", wire.target("polling"), ASKED)).status == 200
        origin = {"Origin": "http://a"}
        assert (await wire.request("GET", wire.target("polling"), origin)).status == 403
        assert await wire.handshake(headers={**origin, "Authorization": "Bearer x"})


async def test_the_log_names_the_option(
    recorder: Recorder, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "trio_sio")
    async with open_wire(engine(), recorder) as wire:
        response = await wire.request("OPTIONS", wire.target("polling"), ASKED)
        assert (response.status, allowed(response)) == (200, ["content-type"])
    assert "option 'allow_headers' does not name 'authorization'" in caplog.text
