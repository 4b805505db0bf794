"""Acknowledgements both ways: what you return is the answer; `call` waits for one."""

import trio

import trio_sio

io = trio_sio.Server()


@io.on("add")
async def add(socket, a, b):
    return a + b  # client: socket.emit("add", 1, 2, sum => …)


@io.on("divide")
async def divide(socket, a, b):
    return divmod(a, b)  # a tuple answers with several arguments


@io.on("start game")
async def start_game(socket):
    try:
        move = await socket.call("your move?", {"board": []}, timeout=20)
    except trio.TooSlowError:
        await socket.emit("too slow")
    except trio_sio.Disconnected:
        return  # they left while we waited
    else:
        await socket.broadcast.emit("moved", move)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
