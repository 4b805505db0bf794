"""Binary data: bytes may stand anywhere in the arguments of an event, and in an answer."""

import hashlib

import trio_sio

io = trio_sio.Server(max_http_buffer_size=5_000_000)  # bytes that one message may have


@io.on("picture")
async def picture(socket, name, content):  # client: socket.emit("picture", file.name, file, done)
    if not isinstance(content, bytes):
        return {"error": "send the file itself"}
    await socket.broadcast.emit("picture", {"name": name, "content": content})
    return {"sha256": hashlib.sha256(content).digest()}  # client: an ArrayBuffer


if __name__ == "__main__":
    trio_sio.run(io, 3000)
