"""A chat on any number of servers with one Redis: it does not matter who is where."""

import os

import trio_sio
from trio_sio.adapters.redis import RedisAdapter

redis = RedisAdapter(os.environ.get("REDIS_URL", "redis://localhost:6379"))
io = trio_sio.Server(adapter=redis)
adapter = io.sockets.adapter  # of the namespace "/"


@io.on("enter")
async def enter(socket, room):
    await socket.join(room)  # from now on, what any server sends to the room arrives
    await socket.to(room).emit("came", socket.id)
    people = await io.in_(room).clients()  # on all servers
    return {"people": sorted(people), "complete": people.complete}


@io.on("say")
async def say(socket, room, text):
    await io.to(room).emit("said", text)


@io.on("invite")
async def invite(socket, other_id, room):
    try:
        await adapter.remote_join(other_id, room)  # whichever server has the other one
    except trio_sio.NoAnswer:
        return {"error": "nobody has that id"}
    return {}


@adapter.on_custom_request
def answer(question):  # each server is asked; it may be async
    return len(io.sockets.connected) if question == "how many?" else None


@io.on("count")
async def count(socket):
    return sum(await adapter.custom_request("how many?"))


if __name__ == "__main__":
    trio_sio.run(io, 3000)
