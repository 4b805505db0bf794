"""The state of a server as JSON: figures, sessions, namespaces, handlers, options.

Everything that can be long is cut to so many rows, with the number of all. Strings of clients are
made printable and cut; ids are shortened; of requests only the address is told.
"""

import heapq
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

import trio

from trio_sio.abc import Adapter
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.admin.sessions import Entry, SessionBook
from trio_sio.engine.session.session import Session
from trio_sio.logs.shown import printable, short_id
from trio_sio.router.client import Client
from trio_sio.router.handlers import HandlerTable
from trio_sio.router.invocation import function_name
from trio_sio.server import Server

ROWS = 100
"""Rows of a table that are sent."""

PER_ROW = 20
"""Namespaces or rooms that are named in one row."""

LOOKED_AT = 10_000
"""Rooms that are looked at for the largest ones."""

_STRIDE = 250
"""Sessions that are looked at before other tasks may run."""

Row = dict[str, object]


class Wish(NamedTuple):
    """Which sessions an operator wants to see.

    Attributes:
        sort: a key of `SORTS`.
        descending: whether the largest come first.
        text: what has to be in the id, the address or the transport.
    """

    sort: str = "since"
    descending: bool = True
    text: str = ""


SORTS: Mapping[str, Callable[[Row], Any]] = {
    name: operator.itemgetter(name)
    for name in (
        "id",
        "address",
        "transport",
        "protocol",
        "since",
        "queued",
        "bytes",
        "peak",
        "heard",
    )
}


async def sessions(io: Server, book: SessionBook, wish: Wish) -> Row:
    """Return the sessions that are wanted, `ROWS` at most; lets other tasks run meanwhile."""
    clients = {client.session: client for client in tuple(io.router.clients)}
    rows: list[Row] = []
    now = trio.current_time()
    for index, entry in enumerate(tuple(book.present.values())):
        if index % _STRIDE == _STRIDE - 1:
            await trio.lowlevel.checkpoint()
        row = _session(entry, now)
        if not wish.text or wish.text in f"{row['id']} {row['address']} {row['transport']}":
            rows.append(row)
    pick = heapq.nlargest if wish.descending else heapq.nsmallest
    chosen = pick(ROWS, rows, key=SORTS[wish.sort])
    for row in chosen:
        found = book.present.get(row["number"])  # type: ignore[call-overload]  # ours, an int
        client = clients.get(found.session) if found else None
        row["namespaces"], row["rooms"] = _places(client)
    return {"rows": chosen, "found": len(rows), "all": len(book.present)}


def _session(entry: Entry, now: float) -> Row:
    session = entry.session
    numbers = session.statistics()
    return {
        "number": entry.number,
        "id": short_id(session.id),
        "address": session.request.remote,
        "transport": session.transport.name,
        "protocol": session.protocol,
        "upgraded": session.upgraded,
        "since": entry.since,
        "queued": numbers.queued,
        "bytes": numbers.queued_bytes,
        "peak": numbers.peak_bytes,
        "dropped": numbers.dropped,
        "heard": round(max(now - numbers.last_seen, 0), 1),
        "behind": numbers.is_behind,
    }


def _places(client: Client | None) -> tuple[list[str], int]:
    """Return the namespaces of a client, and the number of its rooms."""
    if client is None:
        return [], 0
    names = [printable(name) for name in [*client.sockets][:PER_ROW]]
    return names, sum(len(socket.rooms - {socket.id}) for socket in client.sockets.values())


def details(io: Server, entry: Entry) -> Row:
    """Return one session, with the rooms of each of its sockets."""
    row = _session(entry, trio.current_time())
    client = find_client(io, entry.session)
    places = []
    for socket in tuple(client.sockets.values()) if client else ():
        rooms = sorted(socket.rooms - {socket.id})
        own = socket.namespace.connected
        shown = [_room(room, own) for room in rooms[:PER_ROW]]
        places.append(
            {"namespace": printable(socket.namespace.name), "rooms": shown, "all": len(rooms)}
        )
    return {**row, "sockets": places, "limits": dict(entry.session.limits or ())}


def find_client(io: Server, session: Session) -> Client | None:
    """Return the client of a session."""
    return next((one for one in io.router.clients if one.session is session), None)


def _room(name: str, own: Collection[str]) -> str:
    if name in own:  # somebody's own room, whose name is an id
        prefix, mark, sid = name.rpartition("#")
        return f"{printable(prefix)}{mark}{short_id(sid)}"
    return printable(name)


def figures(io: Server) -> Row:
    """Return `io.statistics()`, and the last stalls."""
    now, row = trio.current_time(), asdict(io.statistics())
    row["refused"] = {kind: count for kind, count in row["refused"].items() if count}
    for name in ("sessions_by_protocol", "opened_by_protocol"):
        row[name] = {str(protocol): count for protocol, count in row[name].items()}
    row["recent_stalls"] = [
        {"ago": round(now - one.at, 1), "seconds": round(one.seconds, 3), "name": one.name}
        for one in reversed(io.engine.runtime.stalls.recent)
    ]
    return row


def namespaces(io: Server) -> Row:
    """Return the namespaces with the most sockets, and their largest rooms."""
    table = io.router.namespaces
    every = [table[name] for name in table]
    chosen = heapq.nlargest(ROWS, every, key=lambda one: len(one.connected))
    return {"rows": [_namespace(io, one.name) for one in chosen], "all": len(every)}


def _namespace(io: Server, name: str) -> Row:
    namespace = io.router.namespaces[name]
    connected, parent = namespace.connected, namespace.parent
    rooms, count = _largest_rooms(namespace.adapter, connected)
    tables = [namespace.handlers, *([parent.handlers] if parent is not None else [])]
    return {
        "name": printable(name),
        "dynamic": parent is not None,
        "sockets": len(connected),
        "rooms": rooms,
        "all_rooms": count,
        "handlers": [row for table in tables for row in _handlers(table)][:ROWS],
    }


def _largest_rooms(adapter: Adapter, own: Collection[str]) -> tuple[list[Row], int]:
    """Return the largest rooms and the number of all, without those that sockets have of their own.

    Args:
        adapter: knows the rooms.
        own: the ids of sockets.
    """
    if not isinstance(adapter, MemoryAdapter):  # an application's own, which need not tell
        return [], 0
    looked_at: Iterable[tuple[str, int]] = (
        (name, len(members))
        for _, (name, members) in zip(range(LOOKED_AT), adapter.rooms.items(), strict=False)
        if name not in own
    )
    largest = heapq.nlargest(PER_ROW, looked_at, key=operator.itemgetter(1))
    rows: list[Row] = [{"name": printable(name), "sockets": count} for name, count in largest]
    return rows, len(adapter.rooms) - len(own)


def _handlers(table: HandlerTable) -> list[Row]:
    return [
        {
            "event": printable(name),
            "functions": [function_name(one.function) for one in table.get(name)],
        }
        for name in table.names()
    ]


def options(io: Server) -> list[Row]:
    """Return the options whose values are not the defaults; those of the engine are its own."""
    of_engine = io.engine.options
    known = of_engine.declarations()
    changed = {name: one for name, one in io.options.changes().items() if name not in known}
    changed |= of_engine.changes()
    changed = {name: changed[name] for name in sorted(changed)}
    return [{"name": name, "value": printable(_told(one), 120)} for name, one in changed.items()]


def _told(value: object) -> str:
    """Return a value as far as it can be told: of objects only their names."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(_told(one) for one in value)
    return function_name(value) if callable(value) else f"an object of {type(value).__name__}"
