"""Noticing that a client leaves while its answer is waited for."""

from collections.abc import Awaitable
from typing import TypeVar

import trio

from trio_sio.engine.http.connection import MAX_PIPELINED, HTTPConnection

T = TypeVar("T")


class HungUp(trio.BrokenResourceError):
    """The client left before its answer was known."""


async def unless_hung_up(connection: HTTPConnection, awaitable: Awaitable[T]) -> T:
    """Wait for something, but not longer than the client stays; then it is cancelled.

    What the client pipelines meanwhile is kept, up to a limit; then it is not read any more.

    Raises:
        HungUp: it left.
        Exception: whatever was waited for raises, as it is and in no group.
    """
    results: list[T] = []
    failure: Exception | None = None
    async with trio.open_nursery() as nursery:
        nursery.start_soon(_watch, connection, nursery.cancel_scope)
        try:
            results.append(await awaitable)
        except Exception as error:
            failure = error
        nursery.cancel_scope.cancel()
    if failure is not None:
        raise failure
    if not results:
        raise HungUp("the client closed the connection")
    return results[0]


async def _watch(connection: HTTPConnection, waiting: trio.CancelScope) -> None:
    try:
        while connection.ahead < MAX_PIPELINED:
            await connection.read_ahead()
    except (trio.BrokenResourceError, trio.ClosedResourceError):
        waiting.cancel()
