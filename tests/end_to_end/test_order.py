"""A thousand events through the upgrade from polling to WebSocket: none lost, none twice, in order.

The events begin before the upgrade can have begun, and end after it is done.
"""

import pytest
import trio

import trio_sio
from tests.support.peers import BUNDLE, PACKAGE, Client, Heard, peer, served
from tests.support.servers import MakeServer

pytestmark = pytest.mark.node

EVENTS = 1000
AFTER_UPGRADE = 200


@pytest.mark.parametrize("build", [PACKAGE, BUNDLE], ids=["package", "bundle"])
@pytest.mark.parametrize("binary", [False, True], ids=["text", "binary"])
async def test_events_keep_their_order_through_the_upgrade(
    make_server: MakeServer, build: tuple[str, ...], binary: bool
) -> None:
    io = make_server()
    ours: list[int] = []
    theirs: list[int] = []
    all_sent, all_heard = trio.Event(), trio.Event()

    def payload(number: int) -> list[trio_sio.JSON]:
        return [number, {"bytes": number.to_bytes(2, "big")}] if binary else [number]

    @io.on("connection")
    async def count(socket: trio_sio.Socket) -> None:
        socket.nursery.start_soon(send, socket)

    async def send(socket: trio_sio.Socket) -> None:
        last = EVENTS
        while len(ours) < last:
            ours.append(len(ours))
            await socket.emit("ours", *payload(ours[-1]))
            if socket.session.transport.name == "polling":  # type: ignore[attr-defined]
                last = max(EVENTS, len(ours) + AFTER_UPGRADE)
            if len(ours) % 10 == 0:
                await trio.sleep(0.005)
        all_sent.set()

    @io.on("theirs")
    async def hear(_socket: trio_sio.Socket, number: int, *_bytes: trio_sio.JSON) -> None:
        theirs.append(number)

    @io.on("done")
    async def done(_socket: trio_sio.Socket) -> None:
        all_heard.set()

    async with served(io) as url, peer(build) as process:
        client = await process.open(url, hear=["ours"])
        sent = await emit_through_the_upgrade(client, payload)
        await client.emit("done")
        with trio.fail_after(60):
            await all_sent.wait()
            await all_heard.wait()
        heard = [await client.hear_with_transport("ours") for _ in ours]
        assert [report.args for report in heard] == [payload(number) for number in ours]
        assert client.unheard("ours") == 0
        assert_both_transports(heard)
        assert (await client.hear_with_transport("connect")).transport == "polling"
    assert theirs == list(range(sent))


async def emit_through_the_upgrade(client: Client, payload: object) -> int:
    """Emit, from before the connection is there until well after the upgrade; return how many.

    What is emitted before the connection is there leaves by polling as soon as it is.
    """
    assert callable(payload)
    count, last = 0, EVENTS
    while count < last:
        await client.emit("theirs", *payload(count))
        count += 1
        if not client.unheard("upgrade"):
            last = max(EVENTS, count + AFTER_UPGRADE)
        if count % 10 == 0:
            await trio.sleep(0.005)
    return count


def assert_both_transports(heard: list[Heard]) -> None:
    transports = [report.transport for report in heard]
    first = transports.index("websocket")
    assert set(transports[:first]) == {"polling"}
    assert set(transports[first:]) == {"websocket"}
