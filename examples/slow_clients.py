"""Slow clients: nobody waits for them, and each event says what may become of it."""

import trio

import trio_sio

io = trio_sio.Server(max_outbox=64, high_water=0.25, low_water=0.1)  # per client


@io.on("connection")
async def welcome(socket):
    await socket.join("details")


@io.on_backlog
async def backlog(socket, is_behind):  # called when a quarter of the outbox is full, and again
    print("is behind" if is_behind else "has caught up")  # when it is down to a tenth
    if is_behind:
        await socket.leave("details")  # send less
    else:
        await socket.join("details")


async def publish():
    count = 0
    while True:
        await trio.sleep(0.02)
        count += 1
        await io.volatile.emit("position", count)  # skipped for whoever cannot take it now
        await io.to("details").emit("detail", count)  # closes whoever has a full outbox
        if count % 10 == 0:
            await io.on_overflow("drop_oldest").emit("summary", count)  # drops an older event


async def main():
    async with trio.open_nursery() as nursery:
        nursery.start_soon(io.serve_tcp, 3000)
        nursery.start_soon(publish)


if __name__ == "__main__":
    trio.run(main)
