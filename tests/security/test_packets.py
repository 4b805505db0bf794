"""Packets of Socket.IO: names, answers, namespaces and middleware, and the work they make."""

import re
from functools import partial

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.clients import (
    end_of,
    is_joined,
    is_served,
    is_served_by_polling,
    joined,
    polling,
    refusal,
)
from tests.security.neighbour import beside
from tests.support.servers import MakeServer
from trio_sio.protocol.engineio import codec_v3, codec_v4
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.packet import BACKLOG, RESERVED_EVENTS_4, RESERVED_NAMESPACE_EVENTS

RESERVED = sorted({*RESERVED_EVENTS_4, *RESERVED_NAMESPACE_EVENTS} - {BACKLOG})
ODD = ["__proto__", "constructor", "", "message", "ping", "pong", "upgrade", "\0", "*"]


@pytest.mark.parametrize("name", [*RESERVED, BACKLOG])
@pytest.mark.parametrize("is_heard", [True, False])
async def test_cve_2024_38355_a_clients_event_of_a_reserved_name_sets_nothing_off(
    eio: int, name: str, is_heard: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Neither a crash without handlers, nor the handlers of what the name stands for.

    4.x ends who sends some of them; here they are nothing, from either.
    """
    io = make_server()
    heard: list[str] = []
    if is_heard:
        for event in RESERVED:
            io.on(event, partial(_note, heard, event))
        io.on_backlog(partial(_note, heard, BACKLOG))
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await wait_all_tasks_blocked()
        heard.clear()
        text = name.replace("\0", "\\u0000")
        for packet in (f'42["{text}"]', f'42["{text}",{{"message":"x"}}]', f'42["{text}",1,2]'):
            await websocket.send(packet)
        assert await is_served(websocket)
        await wait_all_tasks_blocked()
        assert heard == []
        assert len(io.sockets.connected) == 2


@pytest.mark.parametrize("name", ODD)
async def test_cve_2024_38355_other_odd_names_are_names(
    eio: int, name: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    heard: list[str] = []
    io.on(name, partial(_note, heard, name))
    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(f'427["{name}"]'.replace("\0", "\\u0000"))
        assert await websocket.receive() == "437[]"
        assert heard == [name]


def _note(heard: list[str], event: str, *args: object) -> None:
    heard.append(event)


@pytest.mark.parametrize("data", ["", '"x"', '{"message":"x"}', "[1]", '["error"]'])
async def test_cve_2024_38355_neither_does_an_error_packet(
    eio: int, data: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server()) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send(f"44{data}")
        if eio == 3:
            assert await is_served(websocket)
        else:  # no client of 4.x has one
            await end_of(websocket)


NAMES = ["null", "true", "false", "{}", "[]", '["a"]', '{"a":1}', "[[]]", '{"toString":1}', "1e999"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ack", ["", "7"])
async def test_cve_2023_32695_an_events_name_is_a_text_or_a_number(
    eio: int, name: str, ack: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Anything else ends the one who sends it, plain or with attachments; infinity, too."""
    io = make_server()
    async with beside(io) as wire:
        for packet in (f"42{ack}[{name}]", f'451-{ack}[{name},{{"_placeholder":true,"num":0}}]'):
            websocket = await joined(wire, eio=eio)
            await websocket.send(packet)
            await end_of(websocket)
            await websocket.aclose()
        await wait_all_tasks_blocked()
        assert io.statistics().ended == {"forced close": 2}


@pytest.mark.parametrize("placeholder", ["[{}]", '[{},"a"]'])
async def test_cve_2023_32695_a_name_cannot_be_put_in_later(
    eio: int, placeholder: str, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """An attachment in the place of the name would make one of bytes."""
    async with beside(make_server()) as wire:
        websocket = await joined(wire, eio=eio)
        data = placeholder.replace("{}", '{"_placeholder":true,"num":0}')
        await websocket.send(f"451-{data}")
        await end_of(websocket)


# -- work ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "2/" + "x" * 2_000_000,
        "2/" + "x," * 1_000_000 + "[0]",
        "2[" + '"x",' * 500_000 + "0]",
        '2["' + "\\u0041" * 300_000 + '"]',
        "2" + "[" * 2_000_000,
        '2["x",' + '{"a":' * 500_000,
        "2" + "1" * 2_000_000,
        "2[" + "1" * 2_000_000 + "]",
        "5" + "1" * 2_000_000 + "-",
        "0/a?" + "a=1&" * 500_000,
        '0{"a":' + "[" * 2_000_000,
        '0/a,{"a":"' + "\\ud800" * 300_000 + '"}',
    ],
)
@pytest.mark.parametrize("decoder", [Decoder, Decoder5])
def test_cve_2020_36049_decoding_takes_time_in_proportion(
    decoder: type[Decoder], text: str
) -> None:
    """Two megabytes, on which quadratic work would not end."""
    try:
        packet = decoder().feed(text)
    except trio_sio.RemoteProtocolError:
        return
    assert packet is not None


def test_cve_2020_36049_so_does_a_payload_of_many_packets() -> None:
    assert sum(1 for _ in codec_v3.decode_text_payload(b"1:2" * 100_000)) == 100_000
    assert sum(1 for _ in codec_v3.decode_binary_payload(b"\x00\x01\xff2" * 100_000)) == 100_000
    body = b"\x1e".join([b"3", b"bAQID"] * 50_000)
    assert sum(1 for _ in codec_v4.decode_payload(body)) == 100_000


# -- answers, matchers and middleware ------------------------------------------------------------


async def test_no_id_javascript_answers_that_are_not_waited_for_any_longer_are_forgotten(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """A call that ran out of time leaves nothing, and its late answer is nobody's."""
    io = make_server()

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> None:
        for number in range(50):
            with pytest.raises(trio.TooSlowError):
                await socket.call("question", number, timeout=0.1)
        assert len(socket.sender.acks) == 0
        await socket.emit("done")

    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send('42["ask"]')
        ids = []
        while (packet := str(await websocket.receive())) != '42["done"]':
            ids.append(packet.removeprefix("42").partition("[")[0])
        for one in (*ids, *ids, "999"):
            await websocket.send(f'43{one}["late"]')
        assert await is_served(websocket)


async def test_no_id_javascript_broadcasts_ask_for_no_answers_that_could_pile_up(
    make_server: MakeServer,
) -> None:
    io = make_server()
    with pytest.raises(TypeError, match="acknowledgements"):
        await io.emit("question", ack=lambda: None)  # type: ignore[call-overload]


async def test_no_id_javascript_a_matcher_of_namespaces_has_no_memory(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """The same names are let in and kept out each time, in any order, and never by a part."""
    io = make_server()
    io.of(re.compile(r"/room-[0-9]+"))
    async with beside(io) as wire:
        for _ in range(3):
            websocket = await joined(wire, eio=eio)
            for name in ("/room-1", "/room-x", "/room-1/evil", "/room-22", "/evil/room-1"):
                await websocket.send(f"40{name},")
                answer = await websocket.receive()
                if name in ("/room-1", "/room-22"):
                    assert is_joined(answer, name, eio)
                else:
                    assert answer == refusal(name, "Invalid namespace", eio)


async def test_no_id_javascript_middleware_that_fails_lets_nobody_in(
    eio: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Its error is for the log; the client hears that there was one, and the next one gets in."""
    io = trio_sio.Server()
    closed = io.of("/closed")
    heard: list[object] = []
    closed.on("connection", heard.append)
    closed.on("say", lambda _, word: heard.append(word))

    @closed.use
    async def fail(socket: trio_sio.Socket) -> None:
        await trio.lowlevel.checkpoint()
        raise RuntimeError("secret")

    async with beside(io) as wire:
        websocket = await joined(wire, eio=eio)
        await websocket.send("40/closed,")
        await websocket.send('42/closed,["say","early"]')
        assert await websocket.receive() == refusal("/closed", "Internal server error", eio)
        await websocket.send('42/closed,["say","late"]')
        assert await is_served(websocket)
        assert (heard, dict(closed.connected)) == ([], {})
    assert "secret" in caplog.text


async def test_no_id_javascript_nobody_passes_middleware_twice(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Asking again while the first asking is under way, or when in, makes no second socket."""
    io = make_server()
    slow = io.of("/slow")
    seen: list[str] = []
    slow.on("connection", lambda socket: seen.append("connection"))

    @slow.use
    async def wait(socket: trio_sio.Socket) -> None:
        seen.append("middleware")
        await trio.sleep(1)

    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        await session.post("40/slow,", "40/slow,", "40/slow,")
        (answer,) = await session.poll()
        assert is_joined(answer, "/slow", eio)
        await session.post("40/slow,")
        assert await is_served_by_polling(session)
        assert seen == ["middleware", "connection"]
