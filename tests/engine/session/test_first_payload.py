"""The answer to a polling handshake."""

import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio.engine.session.first_payload import FirstPayload
from trio_sio.protocol.encoded import Encoded


async def test_it_is_waited_for() -> None:
    packet, more = Encoded(("0{}",)), Encoded(("40",))
    opening = FirstPayload(packet)
    heard: list[list[Encoded]] = []
    async with trio.open_nursery() as nursery:

        @nursery.start_soon
        async def wait() -> None:
            heard.append(await opening.wait())

        await wait_all_tasks_blocked()
        assert heard == []
        opening.make([more])
    assert heard == [[packet, more]]
    assert await opening.wait() == [packet, more]
