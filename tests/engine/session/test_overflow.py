"""What becomes of an item that does not fit."""

from dataclasses import dataclass, field

import pytest

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.runtime.tick import TickFlusher
from trio_sio.engine.session.outbox import NO_LIMIT, Outbox
from trio_sio.engine.session.overflow import overflow
from trio_sio.options import OVERFLOW_POLICIES
from trio_sio.protocol.encoded import Encoded

WHY = Explanation("3 packets wait for a client that does not take them", "max_outbox", 2, 3)


@dataclass
class Behind:
    """A client that does not poll, and what became of it."""

    outbox: Outbox
    why: list[Explanation] = field(default_factory=list)
    aborted: list[DisconnectReason] = field(default_factory=list)
    limits: list[str] = field(default_factory=list)

    def explain(self, why: Explanation) -> None:
        self.why.append(why)

    def abort(self, reason: DisconnectReason) -> None:
        assert self.why  # or the end would have no detail
        self.aborted.append(reason)

    def count_limit(self, option: str) -> None:
        self.limits.append(option)

    def waiting(self) -> list[str | bytes]:
        """Take what waits."""
        return [item.parts[0] for item in self.outbox.take(NO_LIMIT)]


def behind(*, droppable: bool = True) -> Behind:
    outbox = Outbox(PollingTransport(base64=False), 2, 100, TickFlusher())
    for text in ("old", "new"):
        outbox.put_nowait(Encoded((text,), droppable=droppable))
    return Behind(outbox)


LATEST = Encoded(("latest",), droppable=True)


async def test_by_default_the_client_is_shown_out() -> None:
    client = behind()
    overflow(client, LATEST, "disconnect")
    assert client.why == [WHY]
    assert client.aborted == [DisconnectReason.SLOW_CONSUMER]
    assert client.limits == []  # its end counts
    assert client.waiting() == ["old", "new"]


@pytest.mark.parametrize(
    ("policy", "kept"), [("drop_newest", ["old", "new"]), ("drop_oldest", ["new", "latest"])]
)
async def test_or_something_is_dropped_and_counted(policy: str, kept: list[str]) -> None:
    client = behind()
    overflow(client, LATEST, policy)
    assert (client.why, client.aborted) == ([], [])
    assert client.limits == ["max_outbox"]
    assert client.outbox.dropped == 1
    assert client.waiting() == kept


async def test_what_is_no_broadcast_makes_no_room() -> None:
    client = behind(droppable=False)
    overflow(client, LATEST, "drop_oldest")
    assert client.outbox.dropped == 1
    assert client.waiting() == ["old", "new"]


async def test_the_limit_of_bytes_is_named_where_it_was() -> None:
    client = behind()
    client.outbox.take(1)
    overflow(client, Encoded(("x" * 98,), droppable=True), "drop_newest")
    assert client.limits == ["max_outbox_bytes"]


def test_these_are_all() -> None:
    assert OVERFLOW_POLICIES == ("disconnect", "drop_newest", "drop_oldest")
