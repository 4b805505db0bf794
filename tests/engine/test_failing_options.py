"""Functions among the options that raise whatever they like: a refusal or a failure of theirs."""

import asyncio
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.engine.conftest import Recorder
from trio_sio.testing.wire import open_wire

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
