"""Clients over a network with faults: by bytes, and all of it in memory."""

import trio

from trio_sio.testing import Faults


async def test_a_slow_network_changes_nothing(io, io_network, anna, autojump_clock):
    network = await io_network(io)
    async with network.connect("polling", faults=Faults(delay=(0.1, 2), chunk=1)) as ben:
        assert await ben.call("join", "kitchen") == [2]
        assert await anna.receive() == ["people", "kitchen", 2]
        await ben.emit("typing", "kitchen")
        assert await anna.receive() == ["typing", "kitchen", True]
        assert await anna.receive() == ["typing", "kitchen", False]


async def test_a_connection_that_breaks_is_noticed(io, io_network, anna, autojump_clock):
    network = await io_network(io)
    async with network.connect("websocket") as ben:
        await ben.call("join", "kitchen")
        await anna.receive()
        ben.cut()
        assert await anna.receive() == ["people", "kitchen", 1]


async def test_so_is_one_that_only_seems_to_be_there(io, io_network, anna, autojump_clock):
    network = await io_network(io)
    async with network.connect("websocket") as ben:
        await ben.call("join", "kitchen")
        await anna.receive()
        frozen = trio.current_time()
        ben.freeze()
        assert await anna.receive() == ["people", "kitchen", 1]
        assert 5 <= trio.current_time() - frozen <= 30  # it was heard of at the last ping
