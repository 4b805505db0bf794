"""Handlers as the methods of an object, which keeps what they share."""

import trio_sio


class Chat(trio_sio.Handlers):
    def __init__(self):
        self.names = {}

    async def on_connection(self, socket):
        self.names[socket.id] = "somebody"

    async def on_disconnect(self, socket):
        name = self.names.pop(socket.id)
        await socket.namespace.emit("left", name)

    async def on_name(self, socket, name):
        self.names[socket.id] = name

    @trio_sio.on("chat message")  # no name that a method could have
    async def say(self, socket, text):
        await socket.namespace.emit("chat message", self.names[socket.id], text)

    @trio_sio.on("*")
    async def anything_else(self, socket, event, *args):
        return f"there is no event {event!r}"


io = trio_sio.Server()
io.register("/chat", Chat())

if __name__ == "__main__":
    trio_sio.run(io, 3000)
