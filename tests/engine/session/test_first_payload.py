"""The answer to a polling handshake."""

import trio
from trio.testing import wait_all_tasks_blocked

from tests.engine.session.outboxes import make_outbox
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.session.first_payload import FirstPayload
from trio_sio.protocol.encoded import Encoded


async def test_it_is_waited_for() -> None:
    packet, more = Encoded(("0{}",)), Encoded(("40",))
    outbox = make_outbox(PollingTransport(base64=False))
    opening = FirstPayload(packet, outbox)
    heard: list[list[Encoded]] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def wait() -> None:
            heard.append(await opening.wait())

        await wait_all_tasks_blocked()
        assert heard == []
        outbox.send_nowait(more)
        opening.complete()
        outbox.send_nowait(Encoded(("4too late",)))
        opening.complete()
    assert heard == [[packet, more]]
    assert await opening.wait() == [packet, more]


async def test_it_is_complete_soon_whatever_happens() -> None:
    for is_cancelled in (False, True):
        packet = Encoded(("0{}",))
        opening = FirstPayload(packet, make_outbox(PollingTransport(base64=False)))
        with trio.CancelScope() as scope:
            if is_cancelled:
                scope.cancel()
            await opening.complete_soon()
        assert scope.cancelled_caught is is_cancelled
        assert await opening.wait() == [packet]
