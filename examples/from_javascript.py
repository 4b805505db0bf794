"""A small quiz: each comment is how the line before it would look in JavaScript."""

import re

import trio_sio

io = trio_sio.Server(ping_interval=10)  # new Server({ pingInterval: 10000 }): ours are seconds


@io.use  # io.use((socket, next) => { … })
async def check(socket):
    if not socket.handshake.query.get("name"):
        raise trio_sio.ConnectionRefused("who are you?")  # next(new Error("who are you?"))
    # to return is next()


@io.on("connection")  # io.on("connection", socket => { … })
async def welcome(socket):
    name = socket.handshake.query["name"]
    await socket.join("players")  # socket.join("players", () => { … })
    await socket.to("players").emit("came", name)  # socket.to("players").emit("came", name)

    @socket.on("guess")  # socket.on("guess", (number, answer) => answer(number === 42))
    async def guess(number):
        return number == 42

    @socket.on("disconnect")  # socket.on("disconnect", reason => { … })
    async def goodbye(reason):
        await io.to("players").emit("went", name, reason)  # io.to("players").emit(…)


@io.on("ask")  # inside "connection": socket.on("ask", …)
async def ask(socket, question):
    answer = await socket.call("question", question)  # socket.emit("question", question, fn)
    await io.emit("answered", answer)  # io.emit("answered", answer)


teams = io.of(re.compile(r"/team-\d+"))  # io.of(/^\/team-\d+$/)


@teams.on("cheer")  # teams.on("connection", socket => socket.on("cheer", …))
async def cheer(socket):
    await socket.nsp.emit("cheer")  # socket.nsp.emit("cheer")


if __name__ == "__main__":
    trio_sio.run(io, 3000)  # io.listen(3000)
