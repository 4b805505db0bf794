"""A small chat: each comment is how the line before it would look with python-socketio."""

import trio

import trio_sio

sio = trio_sio.Server(ping_interval=10)  # sio = socketio.AsyncServer(ping_interval=10)


@sio.use
async def check(socket):  # async def connect(sid, environ)
    user = socket.handshake.query.get("user")  # environ["QUERY_STRING"]
    if not user:
        raise trio_sio.ConnectionRefused("no user")  # return False
    socket.data["user"] = user  # await sio.save_session(sid, {"user": user})


@sio.event
async def connect(socket):  # the rest of connect(sid, environ)
    socket.nursery.start_soon(remind, socket)  # sio.start_background_task(remind, sid)


async def remind(socket):  # ends with its socket
    await trio.sleep(0.1)  # await sio.sleep(0.1)
    await socket.emit("reminder", "be", "kind")  # await sio.emit("reminder", (…), to=sid)


@sio.event
async def enter(socket, room):  # async def enter(sid, room)
    await socket.join(room)  # sio.enter_room(sid, room)
    return sorted(await sio.in_(room).clients())  # an acknowledgement: the same


@sio.event
async def say(socket, room, text):  # async def say(sid, room, text)
    user = socket.data["user"]  # (await sio.get_session(sid))["user"]
    await sio.emit("said", user, text, to=room, skip_sid=socket.id)  # …, (user, text), to=room, …


@sio.of("/admin").event
async def kick(socket, other):  # @sio.on("kick", namespace="/admin")
    await sio.sockets.connected[other].disconnect()  # await sio.disconnect(other)


@sio.event
async def disconnect(socket, reason):  # async def disconnect(sid)
    await sio.emit("left", socket.data["user"])


if __name__ == "__main__":
    trio_sio.run(sio, 3000)  # web.run_app(app, port=3000)
