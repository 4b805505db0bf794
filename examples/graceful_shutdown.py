"""Close the door, say goodbye, give handlers five seconds, leave."""

import signal

import trio

import trio_sio

io = trio_sio.Server(grace=5.0)


@io.on("disconnect")
async def save(socket, reason):
    await trio.sleep(0.1)  # reason == "server shutting down"


async def main():
    async with io:  # owns every client; leaving it closes them
        async with trio.open_nursery() as nursery:
            await nursery.start(io.serve_tcp, 3000)
            print("listening on 3000")
            with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT) as signals:
                async for _ in signals:
                    break
            await io.emit("going away")
            nursery.cancel_scope.cancel()  # the listeners stop; clients do not live here
    # here no client task is left: sockets were told, or `grace` ran out


if __name__ == "__main__":
    trio.run(main)
