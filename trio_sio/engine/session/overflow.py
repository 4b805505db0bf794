"""What becomes of an item that does not fit into a client's outbox (option `on_overflow`)."""

from typing import Protocol

from trio_sio.disconnect import DisconnectReason, Explanation
from trio_sio.engine.session.outbox import Outbox
from trio_sio.protocol.encoded import Encoded


class Overflowing(Protocol):
    """A session, as far as this is concerned."""

    outbox: Outbox

    def explain(self, why: Explanation) -> None:
        """Say why it is about to end."""

    def abort(self, reason: DisconnectReason) -> None:
        """End it now."""

    def count_limit(self, option: str) -> None:
        """Note that a limit was reached."""


def overflow(session: Overflowing, item: Encoded, policy: str) -> None:
    """Close the client, or drop something.

    Args:
        session: the client.
        item: what does not fit.
        policy: one of `OVERFLOW_POLICIES`.
    """
    outbox = session.outbox
    why = outbox.why_full(item)
    if policy == "disconnect":
        session.explain(why)
        session.abort(DisconnectReason.SLOW_CONSUMER)
        return
    session.count_limit(why.option)
    if policy == "drop_oldest" and outbox.make_room(item):
        outbox.put_nowait(item)
    else:
        outbox.dropped += 1
