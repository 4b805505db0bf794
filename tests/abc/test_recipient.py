"""A socket, as an adapter sees it; that ours fits is for the type checker to say."""

from typing import TYPE_CHECKING

from trio_sio.abc import EventWatch

if TYPE_CHECKING:
    from trio_sio import Socket
    from trio_sio.abc import Recipient

    def fits(socket: Socket) -> Recipient:
        return socket


def test_nobody_is_told_of_events_until_somebody_wants_to_be() -> None:
    watch = EventWatch()
    assert (watch.incoming, watch.outgoing) == (False, False)
    watch.watch_incoming()
    assert (watch.incoming, watch.outgoing) == (True, False)
    watch.watch_outgoing()
    assert (watch.incoming, watch.outgoing) == (True, True)
