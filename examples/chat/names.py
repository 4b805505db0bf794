"""The second step of the chat: everybody has a name."""

from pathlib import Path

import trio_sio

PAGE = Path(__file__).with_name("names.html").read_bytes()


async def page(request):
    return trio_sio.Response(200, [("Content-Type", "text/html; charset=utf-8")], PAGE)


io = trio_sio.Server(fallback=page)


@io.on("enter")
async def enter(socket, name):
    if not isinstance(name, str) or not 1 <= len(name) <= 20:
        return {"error": "A name has 1 to 20 characters."}
    if name in (other.data.get("name") for other in io.sockets.connected.values()):
        return {"error": f"There is a {name} already."}
    socket.data["name"] = name
    await socket.broadcast.emit("note", f"{name} is here.")
    return {"name": name}


@io.on("say")
async def say(socket, text):
    if "name" in socket.data:
        await io.emit("said", socket.data["name"], text)


@io.on("disconnect")
async def leave(socket, reason):
    if "name" in socket.data:
        await io.emit("note", f"{socket.data['name']} has left.")


if __name__ == "__main__":
    trio_sio.run(io, 3000)
