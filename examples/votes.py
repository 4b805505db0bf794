"""Asking a room: everybody votes, and whoever says nothing in time has not."""

from collections import Counter

import trio_sio

io = trio_sio.Server()


@io.on("join")
async def join(socket, room):
    await socket.join(room)


@io.on("vote on")
async def vote_on(socket, room, question):
    try:
        votes = await io.to(room).call("vote", question, timeout=10)
        silent = 0
    except trio_sio.MissingAnswers as error:  # what has arrived counts
        votes, silent = error.answers, len(error.missing)
    return {"votes": dict(Counter(votes)), "silent": silent}


@io.on("first of")
async def first_of(socket, room, question):
    async with io.to(room).answers("vote", question, timeout=10) as answers:
        async for answer in answers:
            return answer  # nobody else is waited for
    return None  # nobody is there


@io.on("dismiss")
async def dismiss(socket, room):
    for one in await io.in_(room).fetch_sockets():  # of all servers
        await one.emit("dismissed", room)
    await io.in_(room).sockets_leave(room)


@io.on_any
def note(socket, event, *args):
    socket.data["events"] = socket.data.get("events", 0) + 1


if __name__ == "__main__":
    trio_sio.run(io, 3000)
