"""Calling the application's own functions while a request waits for what they say.

Those are the functions that options name: `allow_request`, `origins` and `generate_id`. One that is
async may think for long: its client is watched meanwhile, and it has its time.
"""

import inspect
from collections.abc import Callable
from typing import TypeVar

import trio

from trio_sio.engine.http.responder import Responder, unless_hung_up

A = TypeVar("A")


class CallbackTooSlow(Exception):
    """A function of the application took too long; it has been cancelled.

    Attributes:
        name: the option that gives it.
        limit: seconds that it may take (option `handshake_timeout`).
    """

    def __init__(self, name: str, limit: float) -> None:
        super().__init__(f"{name} took over {limit} s (handshake_timeout)")
        self.name = name
        self.limit = limit


async def call(
    name: str,
    function: Callable[[A], object],
    argument: A,
    responder: Responder,
    limit: float,
) -> object:
    """Call a function of the application, async or not, and return what it returns.

    Args:
        name: the option that gives it.
        function: the function.
        argument: its argument.
        responder: answers the client that waits for it.
        limit: seconds that it may take, if it is async.

    Raises:
        HungUp: the client left; the function has been cancelled.
        CallbackTooSlow: so has it after `limit` seconds.
        Exception: whatever the function raises.
    """
    answer = function(argument)
    if not inspect.isawaitable(answer):
        return answer
    with trio.move_on_after(limit):
        return await unless_hung_up(responder, answer)
    raise CallbackTooSlow(name, limit)
