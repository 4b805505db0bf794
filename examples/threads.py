"""Work in threads, and events that come from threads."""

import queue
import threading

import trio

import trio_sio

io = trio_sio.Server()
readings: queue.Queue[object] = queue.Queue()  # filled by a driver that knows nothing of Trio


def primes(limit):
    """Something that takes its time: it would hold up all clients."""
    sieve = bytearray([1]) * (limit + 1)
    for number in range(2, int(limit**0.5) + 1):
        if sieve[number]:
            sieve[number * number :: number] = bytes(len(range(number * number, limit + 1, number)))
    return sum(sieve) - 2


@io.on("count primes")
async def count_primes(socket, limit):
    return await trio.to_thread.run_sync(primes, limit)  # the others are served meanwhile


def convert(socket, names):
    for number, name in enumerate(names, 1):
        name.upper()  # something that blocks
        trio.from_thread.run(socket.emit, "converted", name.upper(), number)  # waits, as `emit`
    trio.from_thread.run_sync(io.emit_nowait, "done", socket.id)  # what is not async


@io.on("convert", concurrent=True)
async def convert_files(socket, names):
    await trio.to_thread.run_sync(convert, socket, names)


@io.on("typing")
def typing(socket):  # a handler that is not async may emit to all others, too
    socket.broadcast.volatile.emit_nowait("typing", socket.id)


def watch_sensor(token):
    """A thread of somebody else's: it has to be told in which Trio run the server is."""
    while (reading := readings.get()) is not None:
        trio.from_thread.run(io.to("sensor").emit, "reading", reading, trio_token=token)


@io.on("measure")
async def measure(socket, value):
    await socket.join("sensor")
    readings.put(value)


async def sensor():
    token = trio.lowlevel.current_trio_token()
    threading.Thread(target=watch_sensor, args=[token], daemon=True).start()
    try:
        await trio.sleep_forever()
    finally:
        readings.put(None)


if __name__ == "__main__":
    trio_sio.run(io, 3000, beside=sensor)
