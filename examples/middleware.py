"""Two kinds of middleware: who may come in (namespace), what they may say (packet)."""

import trio_sio

io = trio_sio.Server()
admin = io.of("/admin")
TOKENS = {"s3cret": "anna"}


@admin.use
async def authenticate(socket):
    user = TOKENS.get(socket.handshake.query.get("token", ""))
    if user is None:
        raise trio_sio.ConnectionRefused("Authentication error")  # JS: next(new Error(...))
    socket.data["user"] = user


@admin.on("connection")
async def hello(socket):
    @socket.use
    async def polite(packet):
        if packet.event == "say" and packet.args[0].isupper():
            raise trio_sio.PacketRefused("please do not shout")

    @socket.on("say")
    async def say(text):
        await admin.emit("said", socket.data["user"], text)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
