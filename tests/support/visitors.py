"""Visitors of the demo's chat, as clients in memory."""

from typing import Any

import pytest
import trio

from trio_sio.testing import MemoryClient


async def arrive(client: MemoryClient, nick: str, *rooms: str) -> dict[str, str]:
    """Take the welcome, a name and rooms; returns the card that others see."""
    event, welcome = await client.receive()
    assert event == "welcome"
    assert await ask(client, "nick", nick) == {"nick": nick}
    for room in rooms:
        assert (await ask(client, "join", room))["room"] == room
    return {"id": welcome["id"], "nick": nick}


async def ask(client: MemoryClient, event: str, *args: object) -> dict[str, Any]:
    (answer,) = await client.call(event, *args)
    assert isinstance(answer, dict)
    return answer


async def assert_quiet(*clients: MemoryClient) -> None:
    for client in clients:
        with trio.move_on_after(10) as waiting:
            pytest.fail(f"received {await client.receive()}")
        assert waiting.cancelled_caught
