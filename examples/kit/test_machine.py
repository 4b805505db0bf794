"""A state machine: people come, join, leave and go; who is inside knows how many are."""

from hypothesis import settings
from hypothesis.stateful import Bundle, consumes, invariant, rule
from lobby import make_server

from trio_sio.testing import connect
from trio_sio.testing.machines import TrioMachine, in_trio


class Lobby(TrioMachine):
    people = Bundle("people")

    async def set_up(self):
        self.io = await self.hold(make_server())
        self.inside, self.told = set(), {}

    @rule(target=people)
    @in_trio
    async def somebody_comes(self):
        client = await self.hold(connect(self.io))
        self.told[client] = None  # the last number that it has heard
        return client

    @rule(client=people)
    @in_trio
    async def joins(self, client):
        self.inside.add(client)
        await client.call("join", "kitchen")

    @rule(client=people)
    @in_trio
    async def leaves(self, client):
        self.inside.discard(client)
        await client.call("leave", "kitchen")

    @rule(client=consumes(people))
    @in_trio
    async def goes(self, client):
        self.inside.discard(client)
        del self.told[client]
        await self.release(client)

    @invariant()
    @in_trio
    async def who_is_inside_knows_how_many_are(self):
        await self.io.emit("that is all")
        for client in self.told:
            while (event := await client.receive()) != ["that is all"]:
                self.told[client] = event[-1]
        for client in self.inside:
            assert self.told[client] == len(self.inside)


TestLobby = Lobby.TestCase
TestLobby.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
