"""Tests with fixtures; the clients stay until each test ends."""

import pytest
import trio


async def test_who_leaves_is_counted_no_more(anna, ben, autojump_clock):
    assert await anna.receive() == ["people", "kitchen", 2]
    await ben.call("leave", "kitchen")
    assert await anna.receive() == ["people", "kitchen", 1]


async def test_typing_ends_after_three_seconds(anna, ben, autojump_clock):
    await ben.emit("typing", "kitchen")
    await anna.receive()  # that ben has joined
    assert await anna.receive() == ["typing", "kitchen", True]
    begun = trio.current_time()
    assert await anna.receive() == ["typing", "kitchen", False]
    assert trio.current_time() - begun == 3


async def test_a_client_that_falls_silent_is_counted_no_more(io, io_client, anna, autojump_clock):
    silent = await io_client(io, heartbeat=False)
    await silent.call("join", "kitchen")
    assert await anna.receive() == ["people", "kitchen", 2]
    assert await anna.receive() == ["people", "kitchen", 1]
    assert trio.current_time() == pytest.approx(30)  # 25 s between pings, and 5 s to be late
