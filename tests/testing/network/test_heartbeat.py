"""The client's side of the heartbeat, as JavaScript's client has it."""

import trio

from trio_sio.testing.network.heartbeat import AnsweringHeartbeat, Heartbeat


async def test_a_ping_follows_each_pong(autojump_clock: trio.abc.Clock) -> None:
    heartbeat, times = Heartbeat(25, 5), list[float]()

    async def send() -> None:
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.beat, send)
        for _ in range(2):
            await trio.sleep(27)
            heartbeat.heard_beat()
        await trio.sleep(100)  # no PONG, no further PING
        nursery.cancel_scope.cancel()
    assert times == [25, 52, 79]


async def test_silence_has_limits(autojump_clock: trio.abc.Clock) -> None:
    heartbeat = Heartbeat(25, 5)
    heartbeat.heard()
    await heartbeat.wait_silence()
    assert trio.current_time() == 30


async def test_a_ping_makes_the_limit_shorter(autojump_clock: trio.abc.Clock) -> None:
    heartbeat = Heartbeat(25, 5)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.beat, trio.lowlevel.checkpoint)
        await trio.sleep(20)
        heartbeat.heard()
        await heartbeat.wait_silence()
        assert trio.current_time() == 30  # 5 s behind the PING, not 30 s behind what was heard
        nursery.cancel_scope.cancel()


async def test_a_client_that_does_not_read_bears_silence(autojump_clock: trio.abc.Clock) -> None:
    heartbeat = Heartbeat(25, 5)
    heartbeat.heard()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.wait_silence)
        heartbeat.hold()
        heartbeat.heard()
        await trio.sleep(1000)
        heartbeat.go_on()
    assert trio.current_time() == 1030


async def test_each_ping_of_the_server_is_answered(autojump_clock: trio.abc.Clock) -> None:
    heartbeat, times = AnsweringHeartbeat(25, 5), list[float]()

    async def send() -> None:
        times.append(trio.current_time())

    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.beat, send)
        for seconds in (25, 26):
            await trio.sleep(seconds)
            heartbeat.heard_beat()
        await trio.sleep(100)
        nursery.cancel_scope.cancel()
    assert times == [25, 51]


async def test_pings_alone_keep_a_client_of_4_waiting(autojump_clock: trio.abc.Clock) -> None:
    heartbeat = AnsweringHeartbeat(25, 5)
    heartbeat.begin()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.wait_silence)
        await trio.sleep(20)
        heartbeat.heard_beat()
        await trio.sleep(20)
        heartbeat.heard()  # not by a message
    assert trio.current_time() == 50


async def test_a_client_of_4_that_does_not_read_bears_silence(
    autojump_clock: trio.abc.Clock,
) -> None:
    heartbeat = AnsweringHeartbeat(25, 5)
    heartbeat.begin()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(heartbeat.wait_silence)
        heartbeat.hold()
        await trio.sleep(1000)
        heartbeat.go_on()
    assert trio.current_time() == 1030
