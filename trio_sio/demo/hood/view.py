"""Puts the view together: `trio_sio.admin` on a server of the demo, and exhibits as its buttons."""

from collections.abc import Awaitable, Callable

import trio_sio
from trio_sio.admin import Admin
from trio_sio.demo.hood.exhibits import LONGEST_HOLD, READERS, SHORTEST_HOLD, Exhibits
from trio_sio.demo.hood.premises import Premises

TITLE = "Under the hood"

Move = Callable[[trio_sio.Socket], Awaitable[str]]


def add_view(
    io: trio_sio.Server, premises: Premises, name: str = "", move: Move | None = None
) -> Admin:
    """Add the view to a server that does not serve yet.

    Args:
        io: the server.
        premises: what it shares with others.
        name: what it is called, where there are several.
        move: has another server take over, where that can be.
    """
    view = Admin(
        io,
        check=premises.access.check,
        title=f"{TITLE}: {name}" if name else TITLE,
        notes=premises.notes,
    )
    exhibits = Exhibits(io, premises)
    view.action(
        "Slow client",
        description="A client stops reading and is sent broadcasts all the same. Among the sessions"
        " its queue grows, up to a limit; then the client is ended, with a sentence that says why,"
        f" and {READERS} others have received everything. This takes some seconds.",
    )(exhibits.slow)
    view.action(
        "Hold the event loop",
        description="A function computes without letting anybody else run, for"
        f" {SHORTEST_HOLD} to {LONGEST_HOLD:,} milliseconds. The round trip jumps once, and among"
        " the stalls there is the function that did it.",
        arguments={"milliseconds": SHORTEST_HOLD},
    )(exhibits.hold)
    view.action(
        "Flood",
        description="Clients send events as fast as they can. Each is ended at the limit, which"
        " is counted below, and the round trips of others stay as they were.",
    )(exhibits.flood)
    if move is not None:
        view.action(
            "Drain",
            description="Another server takes over on the same port, and this one closes its"
            " clients one after the other. They reconnect, this page too, and no message is lost;"
            " the notes tell how it went.",
        )(move)
    return view
