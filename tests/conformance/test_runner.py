"""What comes of checks, and of what goes wrong in them."""

import pytest
import trio
from trio.testing import MockClock

from tests.support.conformance import http, scripted
from trio_sio.conformance.area import Area, Check
from trio_sio.conformance.catalogue import CHECKS
from trio_sio.conformance.runner import LONGEST, Outcome, Result, run_checks, told
from trio_sio.conformance.target import Target
from trio_sio.testing.clients.expectation import Unexpected

TARGET = Target("localhost", 3000, patience=2)

area = Area("doors")


@area.check
async def opens(target: Target) -> None:
    """It opens."""
    await trio.sleep(1)


@area.check
async def closes(target: Target) -> None:
    """It closes."""
    raise Unexpected("it is stuck")


async def test_outcomes(autojump_clock: MockClock) -> None:
    heard: list[Result] = []
    results = await run_checks(TARGET, area, {}, heard.append)
    assert heard == results
    assert [(one.outcome, one.message, one.seconds) for one in results] == [
        (Outcome.PASSED, "", 1),
        (Outcome.FAILED, "it is stuck", 0),
    ]
    assert [one.is_good for one in results] == [True, False]


async def test_outcomes_of_a_server_that_is_known(autojump_clock: MockClock) -> None:
    known = {"doors/opens": "it has no hinges", "doors/closes": "it has no lock"}
    results = await run_checks(TARGET, area, known, lambda result: None)
    assert [(one.outcome, one.message, one.is_good) for one in results] == [
        (Outcome.AGREES, "it passes, although it is known to fail: it has no hinges", False),
        (Outcome.DIFFERS, "it has no lock (it is stuck)", True),
    ]


@pytest.mark.parametrize(("jobs", "seconds"), [(1, 6), (2, 3), (3, 3), (6, 3)])
async def test_as_many_run_at_a_time_as_may(
    jobs: int, seconds: int, autojump_clock: MockClock
) -> None:
    slow = Area("doors")

    @slow.check_with((3, 1, 2), "lasts")
    async def opens(target: Target, lasts: int) -> None:
        """It opens."""
        await trio.sleep(lasts)

    begun = trio.current_time()
    ended: list[Result] = []
    results = await run_checks(TARGET, slow, {}, ended.append, jobs=jobs)
    assert trio.current_time() - begun == seconds
    assert [one.check for one in results] == list(slow)
    assert sorted(one.seconds for one in ended) == [1, 2, 3]


async def message_of(error: Exception) -> str:
    failing = Area("doors")

    @failing.check
    async def breaks(target: Target) -> None:
        """It does not break."""
        raise error

    (result,) = await run_checks(TARGET, failing, {}, lambda result: None)
    return result.message


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (trio.BrokenResourceError("cut"), "cut"),
        (trio.BrokenResourceError(), "BrokenResourceError"),
        (trio.TooSlowError("late"), "late"),
        (ConnectionResetError(104, "reset"), "[Errno 104] reset"),
        (AssertionError("HTTP/2"), "what it sent cannot be read: HTTP/2"),
        (RecursionError(), "what it sent cannot be read: RecursionError"),
        (ExceptionGroup("", [ExceptionGroup("", [Unexpected("deep")])]), "deep"),
    ],
)
async def test_faults_of_the_server_are_told(error: Exception, message: str) -> None:
    assert await message_of(error) == message


async def test_our_own_faults_go_on() -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await message_of(KeyError("ours"))
    assert caught.group_contains(KeyError, match="ours")


@pytest.mark.parametrize(
    "response",
    [
        b"\0\r\n\r\n",
        b"HTTP/2 200 OK\r\n\r\n",
        b"HTTP/1.1 many OK\r\n\r\n",
        b"HTTP/1.1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n0",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nmany\r\n",
        b"HTTP/1.1 200 OK\r\nX\r\n\r\n",
        http(b"\xff\xff"),
        http("1:0"),
        http("many:0"),
        http("___eio[0](" + "[" * 5_000 + ");"),
        http("5000:0" + "[" * 5_000),
    ],
)
async def test_whatever_a_server_says_is_a_result(response: bytes) -> None:
    checks = [check for check in CHECKS if check.name.startswith(("handshake", "refusals"))]
    async with scripted(*[response] * len(checks) * 5) as target:
        results = await run_checks(target, checks, {}, lambda result: None, jobs=16)
    assert [one.check for one in results] == checks
    assert sum(one.outcome is Outcome.FAILED for one in results) > len(checks) // 2


async def test_a_check_ends_in_time(autojump_clock: MockClock) -> None:
    endless = Area("doors")

    @endless.check
    async def squeaks(target: Target) -> None:
        """It is silent."""
        await trio.sleep_forever()

    (result,) = await run_checks(TARGET, endless, {}, lambda result: None)
    assert (result.message, result.seconds) == ("it took longer than 16 s", 2 * LONGEST)


async def test_a_check_of_many_parts_may_take_longer(autojump_clock: MockClock) -> None:
    async def run(target: Target) -> None:
        await trio.sleep(1_000)

    check = Check("doors/many", "They open.", run, has_parts=True)
    (result,) = await run_checks(TARGET, [check], {}, lambda result: None)
    assert (result.outcome, result.seconds) == (Outcome.PASSED, 1_000)


def test_an_error_without_a_text_is_named() -> None:
    assert told(OSError()) == "OSError"
