"""Packets with attachments: their number, their placeholders, and what becomes of half a packet."""

import gc

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import attached, end_of, heartbeat, is_served, joined, opened, polling
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.testing.wire_websocket import WireWebSocket

ONE = '{"_placeholder":true,"num":0}'


async def echo(socket: trio_sio.Socket, *args: object) -> int:
    """Handle an event with attachments; answer with how many arguments it had."""
    return len(args)


# -- placeholders --------------------------------------------------------------------------------

NUMBERS = [
    *("-1", "1", "10", "1e9", "99999999999999999999", "0.5", "null", "true", "false", '"0"'),
    *('"length"', '"__proto__"', '"constructor"', "[0]", '{"valueOf":0}', "-0.1", "1e999"),
]


@pytest.mark.parametrize("number", NUMBERS)
@pytest.mark.parametrize("kind", ["event", "answer"])
async def test_cve_2022_2421_a_placeholder_has_the_number_of_an_attachment(
    eio: int, kind: str, number: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Or whoever sent it is shown out; no handler and no call sees anything of it."""
    io = make_server()
    heard: list[object] = []
    io.on("echo", lambda _, *args: heard.append(args))

    @io.on("ask", concurrent=True)
    async def ask(socket: trio_sio.Socket) -> None:
        with pytest.raises(trio_sio.Disconnected):
            heard.append(await socket.call("question"))

    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        placeholder = f'{{"_placeholder":true,"num":{number}}}'
        if kind == "event":
            await websocket.send(f'451-["echo",{placeholder}]')
        else:
            await websocket.send('42["ask"]')
            asked = str(await websocket.receive())
            ident = asked.removeprefix("42").partition("[")[0]
            await websocket.send(f"461-{ident}[{placeholder}]")
        await websocket.send(attached(b"secret", eio))
        await end_of(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert heard == []
        assert io.statistics().ended == {"forced close": 1}


@pytest.mark.parametrize(
    "placeholder", [ONE, '{"num":0,"_placeholder":true}', ONE.replace("0", "0.0")]
)
async def test_cve_2022_2421_good_ones_are_taken(
    eio: int, placeholder: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """So the others were refused for their numbers; and not all that is like one is one."""
    io = make_server()
    heard: list[object] = []
    io.on("echo", lambda _, *args: heard.append(args))
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        like = '{"_placeholder":1,"num":7}'
        await websocket.send(f'451-["echo",{placeholder},{like}]')
        await websocket.send(attached(b"data", eio))
        assert await is_served(websocket)
        assert heard == [(b"data", {"_placeholder": 1, "num": 7})]


# -- their number --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", ["11", "1000000", "9" * 19, "9" * 20, "9" * 5000])
async def test_cve_2026_33151_a_packet_that_announces_too_many_is_refused_at_once(
    eio: int, count: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server()) as wire:
        websocket, start = await joined(wire, eio=eio), trio.current_time()
        await websocket.send(f'45{count}-["echo",{ONE}]')
        await end_of(websocket)
        assert trio.current_time() == start  # none of them was waited for


async def test_cve_2026_33151_what_half_a_packet_may_hold_is_limited(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(max_packet_bytes=10_000)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(f'4510-["echo",{ONE}]')
        for _ in range(3):
            await websocket.send(attached(bytes(4000), eio))
        await end_of(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"max_packet_bytes": 1}


@pytest.mark.parametrize("sent", [0, 1])
async def test_cve_2026_33151_so_is_its_time_however_alive_its_sender_is(
    eio: int, sent: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server(attachments_timeout=60.0)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        start = trio.current_time()
        await websocket.send(f'452-["echo",{ONE}]')
        if sent:
            await websocket.send(attached(b"x", eio))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_chatter, websocket, heartbeat(eio))
            await end_of(websocket)
            nursery.cancel_scope.cancel()
        assert trio.current_time() - start == 60.0
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"attachments_timeout": 1}


async def _chatter(websocket: WireWebSocket, packet: str) -> None:
    while True:
        await websocket.send(packet)
        await trio.sleep(7)


COUNTS = [
    "0-",
    "00-",
    "-",
    "",
    "-0-",
    "+1-",
    "1.5-",
    "1e1-",
    "0x1-",
    " 1-",
    "1 -",
    "\uff11-",
    "\u0661-",
]


@pytest.mark.parametrize("kind", "56")
@pytest.mark.parametrize("count", COUNTS)
async def test_cve_2026_69185_a_packet_with_attachments_says_how_many(
    eio: int, count: str, kind: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """None, or no number, is refused; nothing is left of it for what comes next."""
    io = make_server()
    heard: list[object] = []
    io.on("echo", lambda _, *args: heard.append(args))
    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        data = f'["echo",{ONE}]' if kind == "5" else f"7[{ONE}]"
        await session.post(f"4{kind}{count}{data}", attached(b"x", eio), '42["echo","behind"]')
        await wait_all_tasks_blocked()
        assert heard == []
        assert len(io.sockets.connected) == 1
        assert (await session.poll())[-1] == "1"
        await wait_all_tasks_blocked()
        assert io.statistics().ended == {"forced close": 1}


@pytest.mark.parametrize("count", ["01-", "0000000000000000001-"])
async def test_cve_2026_69185_zeros_in_front_of_a_number_change_nothing(
    eio: int, count: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    io.on("echo", echo)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(f'45{count}7["echo",{ONE},2]')
        await websocket.send(attached(b"x", eio))
        assert await websocket.receive() == "437[2]"


@pytest.mark.parametrize("messages", [[b"x"], [f'451-["a",{ONE}]', '42["a"]']])
async def test_cve_2026_69185_what_is_out_of_place_ends_its_sender(
    eio: int, messages: list[str | bytes], autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """An attachment of nothing, and a text where an attachment is due."""
    io = make_server()
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        for message in messages:
            await websocket.send(message if isinstance(message, str) else attached(message, eio))
        await end_of(websocket)


# -- whom they are for ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["/other", "/nowhere"])
async def test_cve_2026_48804_attachments_for_a_namespace_never_joined_are_not_kept(
    eio: int, name: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    io.of("/other").on("echo", echo)
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        for _ in range(3):
            await websocket.send(f'453-{name},["echo",{ONE}]')
            for _ in range(2):
                await websocket.send(attached(b"unwanted" * 1000, eio))
            await wait_all_tasks_blocked()
            assert not _kept()
            await websocket.send(attached(b"unwanted" * 1000, eio))
            if eio == 4:  # such a client sends nothing to where it is not
                await end_of(websocket)
                return
        assert await is_served(websocket)


async def test_cve_2026_48804_strangers_have_a_number_of_messages(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Before it has joined anything, a client cannot pile anything up, nor go on for ever."""
    io = make_server(handshake_packets=100)
    gates = iter([True])

    @io.use
    async def wait(_: object) -> None:
        if not next(gates, False):
            await trio.sleep_forever()

    async with beside(io) as wire:
        websocket = await opened(wire, eio=eio)
        if eio == 4:
            await websocket.send("40")
        for _ in range(25):
            await websocket.send(f'453-["echo",{ONE}]')
            for _ in range(3):
                await websocket.send(attached(b"unwanted" * 1000, eio))
        await wait_all_tasks_blocked()
        assert not _kept()
        await websocket.send("40")
        await end_of(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().limits == {"handshake_packets": 1}


@pytest.mark.parametrize("way", ["drop", "close", "packet", "disconnect"])
async def test_cve_2026_48804_half_a_packet_goes_with_its_sender(
    eio: int, way: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(f'453-["echo",{ONE}]')
        await websocket.send(attached(b"unwanted" * 1000, eio))
        await wait_all_tasks_blocked()
        assert _kept()  # so it can be found
        if way == "drop":
            await websocket.aclose()
        elif way == "close":
            await websocket.close()
        elif way == "packet":
            await websocket.send("1")
            await end_of(websocket)
        else:
            for socket in tuple(io.sockets.connected.values())[1:]:
                await socket.disconnect(close=True)
            await end_of(websocket)
        await websocket.aclose()
        await wait_all_tasks_blocked()
        assert not _kept()


def _kept() -> list[object]:
    """Attachments that somebody holds in a list; bytes themselves are not the collector's."""
    gc.collect()
    lists = [one for one in gc.get_objects() if type(one) is list]
    return [one for one in lists if any(type(b) is bytes and b[:8] == b"unwanted" for b in one)]
