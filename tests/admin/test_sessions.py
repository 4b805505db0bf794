"""The book of sessions: who is here, why the last ones ended, and who is tapped."""

from trio.testing import MockClock

import trio_sio
from trio_sio.admin.packets import PacketFeed
from trio_sio.admin.sessions import KEPT_ENDS, SessionBook
from trio_sio.disconnect import Explanation
from trio_sio.testing import connect


def observed() -> tuple[trio_sio.Server, SessionBook]:
    io, book = trio_sio.Server(), SessionBook("/admin")
    io.engine.observe(book)
    return io, book


async def test_a_session_is_known_until_it_ends(autojump_clock: MockClock) -> None:
    io, book = observed()
    io.path = "/other"  # options that change make a new table of sessions
    async with io:
        async with connect(io) as client:
            ((number, entry),) = book.present.items()
            assert (number, entry.session) == (1, client.session)
        assert book.present == {}
        async with connect(io):
            assert [*book.present] == [2]


async def test_the_last_ends_are_kept(autojump_clock: MockClock) -> None:
    io, book = observed()
    async with io:
        for _ in range(KEPT_ENDS + 3):
            async with connect(io):
                pass
        assert len(book.ends) == KEPT_ENDS
        assert book.ends[0]["number"] == KEPT_ENDS + 3
        async with connect(io) as client:
            client.session.explain(Explanation("too much", "max_rooms", 3, 4))
            client.session.close()
            await client.session.wait_closed()
        end = book.ends[0]
        told = (end["reason"], end["text"], end["option"], end["limit"], end["size"])
        assert told == ("forced close", "too much", "max_rooms", 3, 4)
        assert end["stalled"] == 0
        assert client.session.id not in str(end)


async def test_sessions_are_tapped_while_somebody_watches(autojump_clock: MockClock) -> None:
    io, book = observed()
    one, two = PacketFeed(), PacketFeed()
    async with io, connect(io) as first:
        assert first.session.outbox.tap is None
        book.open_feed(one)
        book.open_feed(one)
        book.open_feed(two)
        async with connect(io) as second:
            for client in (first, second):
                assert client.session.outbox.tap is not None
            book.close_feed(one)
            assert second.session.outbox.tap is not None
            book.close_feed(two)
            book.close_feed(two)
            for client in (first, second):
                assert client.session.outbox.tap is None
