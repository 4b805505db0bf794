"""Servers that speak to each other: drop what is cached, count what each of them has."""

import os

import trio_sio
from trio_sio.adapters.redis import RedisAdapter

redis = RedisAdapter(os.environ.get("REDIS_URL", "redis://localhost:6379"))
io = trio_sio.Server(adapter=redis)
prices: dict[str, float] = {}


@io.on_server("price changed")
async def price_changed(article, price):
    prices[article] = price


@io.on_server("how many?")
def how_many():
    return len(io.sockets.connected)


@io.on("set price")
async def set_price(socket, article, price):
    prices[article] = price
    await io.server_side_emit("price changed", article, price)  # to the others, not to this one


@io.on("price")
async def price(socket, article):
    return prices.get(article)


@io.on("count")
async def count(socket):
    return len(io.sockets.connected) + sum(await io.server_side_call("how many?"))


if __name__ == "__main__":
    trio_sio.run(io, 3000)
