"""A view for operators at /admin/, behind a token, with two buttons of the application."""

import os
import secrets
import time

import trio

import trio_sio
from trio_sio.admin import Admin

TOKEN = os.environ.get("ADMIN_TOKEN") or secrets.token_urlsafe()

io = trio_sio.Server()


def is_operator(socket):
    given = socket.handshake.auth.get("token", "")
    return secrets.compare_digest(given.encode(), TOKEN.encode())


view = Admin(io, check=is_operator)


@view.action("Tell everybody", arguments={"text": "We restart at noon."})
async def tell(socket, text):
    await io.emit("notice", text)
    return f"{len(io.sockets.connected)} clients have been told."


@view.action(
    "Hold the event loop",
    description="Nobody is served meanwhile; the view names the function.",
    danger=True,
    arguments={"seconds": 1.0},
)
async def hold(socket, seconds):
    time.sleep(min(seconds, 5))  # noqa: ASYNC251 - that is the point


async def main():
    async with trio.open_nursery() as nursery:
        await nursery.start(io.serve_tcp, 3000)
        print(f"http://localhost:3000/admin/ with the token {TOKEN}", flush=True)


if __name__ == "__main__":
    trio.run(main)
