"""The third step of the chat: rooms, and a handshake that says who comes."""

from pathlib import Path

import trio_sio

PAGE = Path(__file__).with_name("rooms.html").read_bytes()


async def page(request):
    return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)


io = trio_sio.Server(fallback=page)


@io.use
async def check_name(socket):
    name = socket.handshake.query.get("name", "")
    if not 1 <= len(name) <= 20:
        raise trio_sio.ConnectionRefused("A name has 1 to 20 characters.")
    socket.data["name"] = name


@io.on("enter")
async def enter(socket, room):
    if not isinstance(room, str) or not 1 <= len(room) <= 20:
        return {"error": "A room's name has 1 to 20 characters."}
    await leave_all(socket)
    await socket.join("room " + room)
    await socket.to("room " + room).emit("note", f"{socket.data['name']} came in.")
    present = await io.to("room " + room).clients()
    return {"people": sorted(io.sockets.connected[one].data["name"] for one in present)}


@io.on("say")
async def say(socket, text):
    for room in chat_rooms(socket):
        await io.to(room).emit("said", socket.data["name"], text)


@io.on("disconnecting")  # as "disconnect", but the socket still is in its rooms
async def leave(socket, reason):
    await leave_all(socket)


async def leave_all(socket):
    for room in chat_rooms(socket):
        await socket.leave(room)
        await io.to(room).emit("note", f"{socket.data['name']} went away.")


def chat_rooms(socket):
    return [room for room in socket.rooms if room != socket.id]


if __name__ == "__main__":
    trio_sio.run(io, 3000)
