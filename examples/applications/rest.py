"""A REST interface beside Socket.IO, on one port: what is posted, all who watch see at once."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse
from starlette.routing import Route

import trio_sio
from trio_sio.asgi import Fallback

PAGE = Path(__file__).with_name("rest.html")
orders: list[dict[str, object]] = []


async def page(request: Request):
    return FileResponse(PAGE)


async def list_orders(request: Request):
    return JSONResponse(orders)


async def add_order(request: Request):
    order = await request.json()
    orders.append(order)
    await io.emit("order", order)
    return JSONResponse(order, status_code=201)


app = Starlette(
    routes=[
        Route("/", page),
        Route("/orders", list_orders),
        Route("/orders", add_order, methods=["POST"]),
    ]
)
io = trio_sio.Server(fallback=Fallback(app))


@io.on("connection")
async def connection(socket):
    await socket.emit("orders", orders)


if __name__ == "__main__":
    trio_sio.run(io, 3000)
