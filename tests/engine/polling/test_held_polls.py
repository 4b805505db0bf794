"""Polls that are held on real sockets, where whoever sends answers them at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import wait_all_tasks_blocked

import trio_sio
from tests.support.examples import examples
from tests.support.socket_pairs import socket_pair
from trio_sio.engine.runtime.fairness import FairScheduler
from trio_sio.testing.wire import open_wire
from trio_sio.testing.wire_http import WireConnection


class Poller:
    """A client that polls and posts on one connection."""

    def __init__(self, target: str, wire: WireConnection, session: trio_sio.Session) -> None:
        self.target = target
        self.wire = wire
        self.session = session

    async def poll(self) -> None:
        await self.wire.send_request("GET", self.target)

    async def held(self) -> None:
        """Return when a poll is held."""
        with trio.fail_after(10):
            while not self.session.writable:  # noqa: ASYNC110 - nobody tells of a poll
                await trio.sleep(0.001)

    async def answer(self) -> str:
        """Return the body of the next answer."""
        with trio.fail_after(10):
            return (await self.wire.receive_response()).text


async def listen(session: trio_sio.Session) -> None:
    while True:
        await session.send("heard " + str(await session.receive()))


@asynccontextmanager
async def polling() -> AsyncIterator[Poller]:
    engine = trio_sio.Engine(raise_errors=True)
    with trio.CancelScope() as scope:
        async with open_wire(engine, listen, streams=socket_pair) as wire:
            client = await wire.handshake()
            yield Poller(client.target, client.poller, engine.sessions[client.sid])
            scope.cancel()  # an engine that ends would wait for one more poll


@pytest.mark.parametrize("together", [True, False])
async def test_what_was_sent_behind_a_held_poll_is_answered_behind_it(together: bool) -> None:
    """Though nothing comes any more that would wake its connection."""
    async with polling() as client:
        await client.poll()
        if not together:
            await client.held()
        await client.wire.send_request("POST", client.target, body=b"2:4a")
        await client.held()
        await wait_all_tasks_blocked(0.01)
        client.session.send_nowait("b")
        assert await client.answer() == "2:4b"
        assert await client.answer() == "ok"
        await client.poll()
        assert await client.answer() == "8:4heard a"


@examples(50)
@given(
    requests=st.lists(st.sampled_from(["poll", "poll by h11", "post"]), min_size=1, max_size=8),
    pieces=st.lists(st.integers(1, 300), max_size=12),
)
async def test_all_that_is_sent_on_a_connection_is_answered_in_its_order(
    requests: list[str], pieces: list[int]
) -> None:
    """Whatever lies in one piece, and however long the polls before it are held."""
    async with polling() as client, trio.open_nursery() as nursery:

        @nursery.start_soon
        async def answer_polls() -> None:
            while True:
                await client.held()
                client.session.send_nowait("news")

        request = client.wire.request_bytes
        data = {
            "poll": request("GET", client.target),
            "poll by h11": request("GET", client.target, {"TE": "trailers"}),
            "post": request("POST", client.target, body=b"2:4a"),
        }
        rest = b"".join(data[one] for one in requests)
        for size in pieces:
            await client.wire.send(rest[:size])
            rest = rest[size:]
            await trio.lowlevel.checkpoint()
        await client.wire.send(rest)
        answers = [await client.answer() for _ in requests]
        assert [answer == "ok" for answer in answers] == [one == "post" for one in requests]
        nursery.cancel_scope.cancel()


async def test_a_client_that_has_waited_for_its_answer_waits_for_no_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not beside new connections, of which there may be thousands."""
    turns: list[FairScheduler] = []
    wait = FairScheduler.wait

    async def counted(self: FairScheduler) -> None:
        turns.append(self)
        await wait(self)

    monkeypatch.setattr(FairScheduler, "wait", counted)
    async with polling() as client:
        assert len(turns) == 1  # its first request
        for text in ("a", "b", "c"):
            await client.poll()
            await client.held()
            client.session.send_nowait(text)
            assert await client.answer() == f"2:4{text}"
        assert len(turns) == 1
        await client.poll()
        await client.held()
        await client.poll()  # ahead of its answer
        await wait_all_tasks_blocked(0.01)
        client.session.send_nowait("d")
        assert await client.answer() == "2:4d"
        await client.held()
        assert len(turns) == 2


@pytest.mark.parametrize("fields", [{}, {"TE": "trailers"}], ids=["plain", "h11"])
async def test_a_connection_that_ends_with_the_answer_ends_at_once(fields: dict[str, str]) -> None:
    """Though its client sends nothing any more, not even the body that it has announced."""
    async with polling() as client:
        fields = {**fields, "Content-Length": "5"}
        await client.wire.send_request("GET", client.target, fields)
        await client.held()
        await wait_all_tasks_blocked(0.01)
        client.session.send_nowait("a")
        with trio.fail_after(10):
            response = await client.wire.receive_response()
            assert (response.text, response.headers["connection"]) == ("2:4a", "close")
            assert await client.wire.receive_rest() == b""
