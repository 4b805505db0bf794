"""Functions among the options that raise whatever they like: a refusal or a failure of theirs."""

import asyncio
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.engine.conftest import Recorder
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_websocket import handshake_headers

FAILURES: list[Callable[[], BaseException]] = [
    lambda: ValueError("a mistake"),
    lambda: asyncio.CancelledError("a mistake"),
    lambda: GeneratorExit("a mistake"),
    lambda: BaseExceptionGroup("", [ExceptionGroup("", [KeyError("a mistake")])]),
]


@pytest.mark.parametrize("failure", FAILURES)
@pytest.mark.parametrize(
    ("option", "status"),
    [("allow_request", 403), ("origins", 403), ("generate_id", 400), ("fallback", 500)],
)
async def test_a_failure_is_answered_and_logged_and_the_server_goes_on(
    option: str,
    status: int,
    failure: Callable[[], BaseException],
    recorder: Recorder,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    is_on = True

    async def function(_: object) -> object:
        await trio.lowlevel.checkpoint()
        if is_on:
            raise failure()
        return {"generate_id": "an id", "fallback": trio_sio.Response(200)}.get(option, True)

    engine = trio_sio.Engine(**{option: function})  # type: ignore[arg-type]
    async with open_wire(engine, recorder) as wire:
        target = "/elsewhere" if option == "fallback" else wire.target("polling")
        assert (await wire.request("GET", target)).status == status
        assert "a mistake" in caplog.text
        is_on = False
        assert (await wire.request("GET", target)).status == 200


@pytest.mark.parametrize("option", ["allow_request", "origins"])
async def test_a_refusal_in_a_group_is_a_refusal(
    option: str, recorder: Recorder, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    async def refuse(_: object) -> bool:
        raise ExceptionGroup("", [ExceptionGroup("", [trio_sio.RequestRefused("not you")])])

    engine = trio_sio.Engine(**{option: refuse})  # type: ignore[arg-type]
    async with open_wire(engine, recorder) as wire:
        response = await wire.request("GET", wire.target("polling"))
        assert response.status == 403
        assert "not you" in response.text
    assert not [record for record in caplog.records if record.levelname == "ERROR"]


class Unclear:
    """As an array of several numbers."""

    def __bool__(self) -> bool:
        raise ValueError("a mistake")

    def __repr__(self) -> str:
        return "Unclear()"  # without an address, so that each worker collects the same test


@pytest.mark.parametrize("is_async", [False, True])
@pytest.mark.parametrize("transport", ["polling", "websocket"])
@pytest.mark.parametrize(
    ("answer", "is_allowed"),
    [
        *[(None, True), (True, True), (1, True), ("a user", True), ({"id": 0}, True)],
        *[(False, False), (0, False), ("", False), ({}, False), ([], False), (0.0, False)],
    ],
    ids=repr,
)
async def test_what_allow_request_returns(
    answer: object,
    is_allowed: bool,
    transport: str,
    is_async: bool,
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    """As in JavaScript's `callback(err, success)`, but whoever says nothing has not refused."""

    async def later(_: object) -> object:
        await trio.lowlevel.checkpoint()
        return answer

    engine = trio_sio.Engine(allow_request=later if is_async else lambda _: answer)
    async with open_wire(engine, recorder) as wire:
        headers = handshake_headers() if transport == "websocket" else {}
        response = await wire.request("GET", wire.target(transport), headers)
        assert (response.status in (101, 200)) is is_allowed
        assert bool(engine.sessions) is is_allowed


@pytest.mark.parametrize("option", ["allow_request", "origins"])
@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (trio_sio.RequestRefused("no"), "{option} returned RequestRefused: raise it to refuse"),
        (trio_sio.RequestRefused, "{option} returned RequestRefused: raise it to refuse"),
        (ValueError("no"), "{option} returned ValueError: raise it to refuse"),
        (Unclear(), "a mistake"),
    ],
    ids=repr,
)
async def test_what_is_returned_by_mistake_lets_nobody_in(
    answer: object,
    text: str,
    option: str,
    recorder: Recorder,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    engine = trio_sio.Engine(**{option: lambda _: answer})  # type: ignore[arg-type]
    async with open_wire(engine, recorder) as wire:
        assert (await wire.request("GET", wire.target("polling"))).status == 403
        assert engine.sessions == {}
    assert text.format(option=option) in caplog.text
