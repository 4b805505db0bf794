"""A small chat: each comment is how the line before it would look with python-socketio 5."""

import trio

import trio_sio

USERS = {"token of Anna": "Anna", "token of Ben": "Ben", "token of Olga": "Olga"}

sio = trio_sio.Server(cookie=None)  # sio = socketio.AsyncServer(async_mode="asgi")


@sio.use
async def check(socket):  # async def connect(sid, environ, auth)
    user = USERS.get(str(socket.handshake.auth.get("token")))  # auth.get("token")
    if user is None:
        # raise socketio.exceptions.ConnectionRefusedError("no user", {"code": 401})
        raise trio_sio.ConnectionRefused("no user", data={"code": 401})
    socket.data["user"] = user  # await sio.save_session(sid, {"user": user})


@sio.event
async def connect(socket):  # the rest of connect(sid, environ, auth)
    socket.nursery.start_soon(remind, socket)  # sio.start_background_task(remind, sid)


async def remind(socket):  # ends with its socket
    await trio.sleep(0.1)  # await sio.sleep(0.1)
    await socket.emit("reminder", "be", "kind")  # await sio.emit("reminder", (…), to=sid)


@sio.event
async def enter(socket, room):  # async def enter(sid, room)
    await socket.join(room)  # await sio.enter_room(sid, room)
    return sorted(socket.rooms - {socket.id})  # sio.rooms(sid): the same, and an acknowledgement


@sio.event
async def say(socket, room, text, picture):  # async def say(sid, room, text, picture)
    user = socket.data["user"]  # (await sio.get_session(sid))["user"]
    # await sio.emit("said", (user, text, picture), room=room, skip_sid=sid)
    await sio.emit("said", user, text, picture, to=room, skip_sid=socket.id)


@sio.event
async def ask(socket, question):
    try:
        return await socket.call("question", question, timeout=0.5)  # await sio.call(…, to=sid)
    except trio.TooSlowError:  # socketio.exceptions.TimeoutError
        return "no answer"


@sio.of("/admin").event
async def kick(socket, other):  # @sio.on("kick", namespace="/admin")
    await sio.sockets.connected[other].disconnect()  # await sio.disconnect(other)


@sio.event
async def disconnect(socket, reason):  # async def disconnect(sid, reason)
    await sio.emit("left", socket.data["user"])


if __name__ == "__main__":
    trio_sio.run(sio, 3000)  # uvicorn.run(socketio.ASGIApp(sio), port=3000)
