"""A small quiz: each comment is how the line before it would look with socket.io 4."""

import trio

import trio_sio

PLAYERS = {"token of Anna": "Anna", "token of Ben": "Ben", "token of Olga": "Olga"}

io = trio_sio.Server(max_http_buffer_size=1_000_000)  # new Server({ maxHttpBufferSize: 1e6 })


@io.use  # io.use((socket, next) => { … })
async def check(socket):
    token = socket.handshake.auth.get("token")  # socket.handshake.auth.token
    name = PLAYERS.get(str(token or socket.handshake.get("token")))  # clients of 2.x: the query
    if name is None:
        # const error = new Error("who are you?"); error.data = { code: 401 }; next(error)
        raise trio_sio.ConnectionRefused("who are you?", data={"code": 401})
    socket.data["name"] = name  # socket.data.name = name; next()


@io.on("connection")  # io.on("connection", (socket) => { … })
async def welcome(socket):
    await socket.join("players")  # socket.join("players")
    await socket.to("players").emit("came", socket.data["name"])


@io.on("guess")  # inside: socket.on("guess", (number, callback) => callback(number === 42))
async def guess(socket, number):
    return number == 42


@io.on("ask")  # inside: socket.on("ask", async (question, callback) => { … })
async def ask(socket, question):
    try:  # await socket.timeout(500).emitWithAck("question", question)
        return await socket.call("question", question, timeout=0.5)
    except trio.TooSlowError:
        return "no answer"


@io.on("say")
async def say(socket, text, picture):
    # io.to("players").except(socket.id).volatile.emit("said", text, picture)
    await io.to("players").except_(socket.id).volatile.emit("said", text, picture)


@io.on("leave")
async def leave(socket):
    await socket.disconnect(close=True)  # socket.disconnect(true)


@io.on("disconnect")  # inside: socket.on("disconnect", (reason, details) => { … })
async def goodbye(socket, reason):  # the details: socket.detail
    await io.to("players").emit("went", socket.data["name"], reason)


async def is_team(name, auth):  # io.of((name, auth, next) => { … })
    return name.startswith("/team-") and auth.get("team") == name.removeprefix("/team-")


@io.of(is_team).on("cheer")
async def cheer(socket):
    await socket.nsp.emit("cheer")  # socket.nsp.emit("cheer")


if __name__ == "__main__":
    trio_sio.run(io, 3000)  # io.listen(3000)
