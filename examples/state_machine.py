"""A state machine over an application of one's own: Hypothesis plays, a set is the model."""

from hypothesis import settings, strategies as st
from hypothesis.stateful import Bundle, consumes, rule

import trio_sio
from trio_sio.testing import connect
from trio_sio.testing.machines import TrioMachine, in_trio


def application():
    io = trio_sio.Server()
    taken: dict[int, str] = {}

    @io.on("take")
    def take(socket, seat):
        if taken.setdefault(seat, socket.id) != socket.id:
            return "taken"
        return "yours"

    @io.on("disconnect")
    def free(socket):
        for seat in [seat for seat, owner in taken.items() if owner == socket.id]:
            del taken[seat]

    return io


class Seats(TrioMachine):
    clients = Bundle("clients")

    async def set_up(self):
        self.io = await self.hold(application())
        self.owners = {}  # the model

    @rule(target=clients)
    @in_trio
    async def come(self):
        return await self.hold(connect(self.io))

    @rule(client=clients, seat=st.integers(1, 3))
    @in_trio
    async def take(self, client, seat):
        owner = self.owners.setdefault(seat, client)
        assert await client.call("take", seat) == ["yours" if owner is client else "taken"]

    @rule(client=consumes(clients))
    @in_trio
    async def go(self, client):
        await self.release(client)
        self.owners = {seat: one for seat, one in self.owners.items() if one is not client}

    @rule()
    @in_trio
    async def wait(self):
        await self.pass_time(60)  # it takes no time, and nobody loses a seat


TestSeats = Seats.TestCase
TestSeats.settings = settings(max_examples=20, stateful_step_count=20, deadline=None)
