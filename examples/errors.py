"""Errors: what a handler raises, what the client is told, and why a client left."""

import trio_sio

io = trio_sio.Server()


@io.on("divide")
async def divide(socket, a, b):
    return a / b  # b may be 0, or a list: it is the client that chooses


@io.on("error")  # whatever a handler raises, after it has been logged
async def failed(socket, error):
    await socket.emit("failed", type(error).__name__)  # the client stays connected


@io.on("buy")
async def buy(socket, item):
    if item != "apple":
        return {"error": f"we have no {item}"}  # for what a client may do wrong: an answer
    return {"price": 1.25}


@io.on("disconnect")
async def gone(socket, reason):
    detail = socket.detail  # more than JavaScript's word, if the connection ended
    print(reason, "|", detail.text if detail and detail.text else "no more is known")


if __name__ == "__main__":
    trio_sio.run(io, 3000)
