"""The last step of the chat: its tests. No port, no browser, no waiting."""

import pytest

import trio_sio
from examples.chat.rooms import io
from trio_sio.testing import connect


async def test_only_the_room_hears(autojump_clock):
    async with (
        connect(io, query={"name": "Anna"}) as anna,
        connect(io, query={"name": "Ben"}) as ben,
        connect(io, query={"name": "Carl"}) as carl,
    ):
        assert await anna.call("enter", "kitchen") == [{"people": ["Anna"]}]
        assert await ben.call("enter", "kitchen") == [{"people": ["Anna", "Ben"]}]
        assert await anna.receive() == ["note", "Ben came in."]

        await carl.call("enter", "garden")
        await carl.emit("say", "It rains.")
        assert await carl.receive() == ["said", "Carl", "It rains."]
        await ben.emit("say", "Soup is ready.")
        assert await anna.receive() == ["said", "Ben", "Soup is ready."]  # and nothing of the rain

        await ben.leave()
        assert await anna.receive() == ["note", "Ben went away."]


async def test_nobody_comes_in_without_a_name(autojump_clock):
    with pytest.raises(trio_sio.ConnectionRefused, match="1 to 20 characters"):
        async with connect(io):
            pass
