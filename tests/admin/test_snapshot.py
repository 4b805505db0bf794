"""The state of a server as JSON: bounded, printable, and without secrets."""

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support import modern
from trio_sio.admin import snapshot
from trio_sio.admin.sessions import SessionBook
from trio_sio.testing import connect

HOSTILE = "<img src=x onerror=alert(1)>\u202e\x1b" + "y" * 1000


def observed(**options: object) -> tuple[trio_sio.Server, SessionBook]:
    io, book = trio_sio.Server(**options), SessionBook("/admin")  # type: ignore[arg-type]
    io.engine.observe(book)
    return io, book


def rows_of(table: Mapping[str, object], name: str = "rows") -> list[dict[str, Any]]:
    """Return the rows of a table."""
    rows = table[name]
    assert isinstance(rows, list)
    return rows


async def test_secrets_are_in_nothing(autojump_clock: MockClock) -> None:
    io, book = observed()
    query, headers = {"token": "secret"}, {"Cookie": "a=secret", "Authorization": "secret"}
    async with io, connect(io, query=query, headers=headers) as client:
        (entry,) = book.present.values()
        told = [
            snapshot.details(io, entry),
            snapshot.figures(io),
            snapshot.namespaces(io),
            snapshot.options(io),
            await snapshot.sessions(io, book, snapshot.Wish()),
        ]
        text = json.dumps(told)
        assert "secret" not in text
        assert client.session.id not in text


async def test_names_are_printable_and_cut(autojump_clock: MockClock) -> None:
    io, book = observed()
    async with io, connect(io) as client:
        socket = io.sockets.connected[client.id]
        for index in range(50):
            await socket.join(f"{index}{HOSTILE}")
        (entry,) = book.present.values()
        details = snapshot.details(io, entry)
        place = rows_of(details, "sockets")[0]
        assert (len(place["rooms"]), place["all"]) == (snapshot.PER_ROW, 50)
        row = rows_of(snapshot.namespaces(io))[0]
        assert (len(row["rooms"]), row["all_rooms"]) == (snapshot.PER_ROW, 50)
        text = json.dumps([details, row], ensure_ascii=False)
        assert "\u202e" not in text
        assert "y" * 61 not in text


async def test_thousands_of_sessions_are_a_hundred_rows(autojump_clock: MockClock) -> None:
    io, book = observed()
    async with io, trio.open_nursery() as nursery:
        await _crowd(io, nursery, 300)
        table = await snapshot.sessions(io, book, snapshot.Wish("since", True))
        assert (len(rows_of(table)), table["found"], table["all"]) == (100, 300, 300)
        nursery.cancel_scope.cancel()


async def _crowd(io: trio_sio.Server, nursery: trio.Nursery, count: int) -> None:
    async def stay(task_status: trio.TaskStatus[None]) -> None:
        async with connect(io):
            task_status.started()
            await trio.sleep_forever()

    for _ in range(count):
        await nursery.start(stay)


@pytest.mark.parametrize("sort", snapshot.SORTS)
async def test_every_column_sorts(autojump_clock: MockClock, sort: str) -> None:
    io, book = observed()
    async with io, connect(io), connect(io):
        for descending in (True, False):
            table = await snapshot.sessions(io, book, snapshot.Wish(sort, descending))
            values = [row[sort] for row in rows_of(table)]
            assert values == sorted(values, reverse=descending)


async def test_what_a_session_speaks_is_told(autojump_clock: MockClock) -> None:
    """With texts for keys: MessagePack would keep numbers, and JSON would not."""
    io, book = observed()
    async with modern.client(io), modern.client(io, eio=3):
        rows = rows_of(await snapshot.sessions(io, book, snapshot.Wish("protocol")))
        assert [row["protocol"] for row in rows] == [4, 3]
        figures = snapshot.figures(io)
        assert figures["sessions_by_protocol"] == {"3": 1, "4": 1}
        assert figures["opened_by_protocol"] == {"3": 1, "4": 1}


def test_options_that_are_objects_are_told_by_name() -> None:
    async def allow(request: trio_sio.Request) -> bool:
        return True

    io, _ = observed(allow_request=allow, origins=["https://a.example"], max_rooms=5)
    told = {row["name"]: row["value"] for row in snapshot.options(io)}
    assert told.keys() == {"allow_request", "origins", "max_rooms"}
    assert str(told["allow_request"]).endswith(".allow")
    assert (told["origins"], told["max_rooms"]) == ("https://a.example", "5")


async def test_stalls_have_names(autojump_clock: MockClock) -> None:
    io, _ = observed()
    async with io:
        figures = snapshot.figures(io)
        assert figures["recent_stalls"] == []
        assert all(figures["refused"].values())  # type: ignore[attr-defined]


async def test_a_dynamic_namespace_shows_the_handlers_of_both(autojump_clock: MockClock) -> None:
    io, _ = observed()
    io.of(re.compile("/room-.*")).on("say", print)
    async with io, connect(io, "/room-1"):
        rows = {row["name"]: row for row in rows_of(snapshot.namespaces(io))}
        assert rows["/room-1"]["dynamic"]
        assert rows["/room-1"]["handlers"][0]["event"] == "say"
