"""A property: whoever joins and leaves in whatever order, the count is right."""

from collections import defaultdict

import trio
from hypothesis import example, given, settings, strategies as st
from lobby import make_server
from trio.testing import MockClock

from trio_sio.testing import connect

steps = st.tuples(
    st.sampled_from(["anna", "ben"]),
    st.sampled_from(["leave", "join"]),
    st.sampled_from(["kitchen", "garden"]),
)


@settings(deadline=None)  # a machine that is busy is no mistake
@given(st.lists(steps))
@example([("anna", "leave", "kitchen")])  # where nobody was: the count was -1
def test_the_count_is_right(steps):
    trio.run(play, steps, clock=MockClock(autojump_threshold=0))


async def play(steps):
    inside = defaultdict(set)  # what has to be true, in the simplest words
    async with make_server() as io, connect(io) as anna, connect(io) as ben:
        clients = {"anna": anna, "ben": ben}
        for who, what, room in steps:
            if what == "join":
                inside[room].add(who)
            else:
                inside[room].discard(who)
            (count,) = await clients[who].call(what, room)
            assert count == len(inside[room]), f"{who} {what}s {room}"
