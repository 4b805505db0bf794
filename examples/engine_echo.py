"""Engine.IO alone: sessions that carry messages, without namespaces, rooms and events."""

import trio

import trio_sio

engine = trio_sio.Engine(path="/engine.io")


async def echo(session):
    while True:  # until the client leaves: `receive` ends the handler then
        await session.send(await session.receive())  # text stays text, bytes stay bytes


if __name__ == "__main__":
    trio.run(engine.serve_tcp, echo, 3000)
