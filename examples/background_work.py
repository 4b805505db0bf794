"""Work that belongs to a socket: it ends when the socket does."""

import trio

import trio_sio

io = trio_sio.Server()


async def prices(socket, symbol, *, task_status=trio.TASK_STATUS_IGNORED):
    price = 100.0
    task_status.started(price)
    while True:
        await trio.sleep(1)
        price += 0.25
        await socket.emit("price", symbol, price)  # waits if this client is slow: no pile-up


@io.on("watch")
async def watch(socket, symbol):
    return await socket.nursery.start(prices, socket, symbol)  # answer: the opening price


@io.on("report", concurrent=True)  # others need not wait for this one
async def report(socket, year):
    with trio.move_on_after(30):
        await trio.sleep(3)  # something long
        return {"year": year}


@io.on("disconnect")
async def gone(socket, reason):
    print(socket.id, "left:", reason)  # its watchers are cancelled already


if __name__ == "__main__":
    trio_sio.run(io, 3000)
