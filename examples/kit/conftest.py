"""What the tests share: a server, and two clients who are in a room of it."""

import pytest
from lobby import make_server


@pytest.fixture
def io():
    return make_server()


@pytest.fixture
async def anna(io, io_client):
    return await in_the_kitchen(io, io_client)


@pytest.fixture
async def ben(io, io_client, anna):
    return await in_the_kitchen(io, io_client)


async def in_the_kitchen(io, io_client):
    client = await io_client(io)
    await client.call("join", "kitchen")
    await client.receive()  # how many are there now
    return client
