"""Orders of a test, for our own processes: the other end of `tests.cluster.process`.

As in `tests/javascript/orders.js`, each order begins when its line has come. Those that emit are
carried out one after the other; the others do not wait for them.
"""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import trio

from tests.support.peers import pack, unpack

Verb = Callable[..., Awaitable[object]]
Order = Callable[[], Awaitable[None]]


def tell(event: str, *args: object) -> None:
    """Tell of something that was not asked for."""
    _write({"event": event, "args": args})


def _write(report: object) -> None:
    sys.stdout.write(json.dumps(pack(report)) + "\n")
    sys.stdout.flush()


async def obey(verbs: Mapping[str, Verb], in_order: Mapping[str, Verb]) -> None:
    """Obey until the input ends.

    Args:
        verbs: what is carried out beside everything else.
        in_order: what is carried out one after the other.
    """
    async with trio.open_nursery() as nursery, trio.lowlevel.FdStream(os.dup(0)) as stream:
        put, take = trio.open_memory_channel[Order](100_000)
        nursery.start_soon(_carry_out, take)
        rest = b""
        async for data in stream:
            *lines, rest = (rest + data).split(b"\n")
            for line in lines:
                number, verb, *args = unpack(json.loads(line))
                if verb in in_order:
                    put.send_nowait(partial(_answer, number, in_order[verb], args))
                else:
                    nursery.start_soon(_answer, number, verbs[verb], args)
        nursery.cancel_scope.cancel()


async def _carry_out(orders: trio.MemoryReceiveChannel[Order]) -> None:
    async for order in orders:
        await order()


async def _answer(number: int, verb: Verb, args: list[Any]) -> None:
    try:
        value = await verb(*args)
    except Exception as error:
        _write({"answer": number, "error": f"{type(error).__name__}: {error}"})
    else:
        _write({"answer": number, "value": value})
