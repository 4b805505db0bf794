"""Tracebacks: they begin and end with functions of the user, which are those of this file."""

import traceback
from collections.abc import Callable

import pytest
import trio

from trio_sio import Server
from trio_sio.testing import connect
from trio_sio.testing.tracebacks import begin_at_user, end_at_user


async def ask() -> None:
    async with connect(Server()) as client:
        await client.call("nobody", timeout=0)


async def fail() -> None:
    await trio.lowlevel.checkpoint()
    raise trio.TooSlowError


def caught(function: Callable[[], object]) -> trio.TooSlowError:
    with pytest.raises(trio.TooSlowError) as info:
        function()
    return info.value


def names(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def test_the_end_is_what_called_us() -> None:
    error = caught(lambda: trio.run(ask))
    assert names(error)[-1] == "within"
    assert names(error.with_traceback(end_at_user(error.__traceback__)))[-1] == "ask"


def test_what_ends_elsewhere_stays() -> None:
    error = caught(lambda: trio.run(fail))
    before = names(error)
    assert names(error.with_traceback(end_at_user(error.__traceback__))) == before
    assert before[-1] == "fail"


def test_the_beginning_is_what_trio_has_called() -> None:
    error = caught(lambda: trio.run(ask))
    begin = error.__traceback__
    while begin is not None and begin.tb_frame.f_globals["__name__"] == __name__:
        begin = begin.tb_next  # `caught`, and its function; then Trio
    found = begin_at_user(begin)
    assert found is not begin
    assert found is not None
    assert found.tb_frame.f_code.co_name == "ask"


def test_there_may_be_nothing_of_the_user() -> None:
    error = caught(lambda: trio.run(ask))
    ours = error.__traceback__
    while ours is not None and ours.tb_frame.f_code.co_name != "call":
        ours = ours.tb_next
    assert ours is not None
    assert begin_at_user(ours) is ours
    assert end_at_user(ours) is ours
