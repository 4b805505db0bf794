"""The engine's life: opening, serving, ending in every state of its clients."""

import errno
import ssl
from collections.abc import Sequence
from typing import Any

import pytest
import trio
import trustme
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from trio_sio.engine.engine import GOODBYE
from trio_sio.options import WSEngine
from trio_sio.testing.wire import WireClient, open_wire


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(await session.receive())


async def stubborn(session: trio_sio.Session) -> None:
    try:
        await trio.sleep_forever()
    finally:
        with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
            await trio.sleep_forever()


async def held_poll(wire: WireClient) -> None:
    session = await wire.handshake()
    await session.poller.send_request("GET", session.target)


async def half_a_request(wire: WireClient) -> None:
    await wire.connect().send(b"GET / HTTP/1.1\r\nHo")


async def half_a_post(wire: WireClient) -> None:
    session = await wire.handshake()
    head = f"POST {session.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n4"
    await session.poster.send(head.encode())


async def probing(wire: WireClient) -> None:
    await (await wire.handshake()).probe()


STATES = {
    "nothing said": lambda wire: wire.connect().send(b""),
    "half a request": half_a_request,
    "half a POST": half_a_post,
    "between polls": lambda wire: wire.handshake(),
    "held poll": held_poll,
    "probing": probing,
    "websocket that does not answer": lambda wire: wire.websocket(),
}


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_leaving_is_prompt_in_every_state(
    state: str, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(ws_engine=ws_engine, raise_errors=True, grace=60)
    async with open_wire(engine, echo) as wire:
        await STATES[state](wire)  # type: ignore[no-untyped-call]
        await wait_all_tasks_blocked()
        begun = trio.current_time()
        await engine.aclose()
        assert trio.current_time() - begun <= GOODBYE
    assert trio.current_time() - begun <= GOODBYE  # leaving does not say goodbye once more
    assert engine.sessions == {}
    assert not engine.serving


@pytest.mark.parametrize("state", list(STATES))
@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_cancelling_is_prompt_in_every_state(
    state: str, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    engine = trio_sio.Engine(ws_engine=ws_engine, raise_errors=True)
    with trio.CancelScope() as scope:
        async with engine, open_wire(engine, echo) as wire:
            await STATES[state](wire)  # type: ignore[no-untyped-call]
            await wait_all_tasks_blocked()
            begun = trio.current_time()
            scope.cancel()
    assert trio.current_time() - begun < 0.1
    assert engine.sessions == {}


async def test_handlers_get_grace(autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine(grace=3)

    async def slow(session: trio_sio.Session) -> None:
        session.nursery.start_soon(trio.sleep_forever)
        await session.receive()

    async with open_wire(engine, slow) as wire:
        await wire.handshake()
        await engine.aclose()
        assert 3 <= trio.current_time() < 3.5
    assert trio.current_time() < 3.5  # not once more at the end


async def test_nobody_comes_in_while_it_ends(autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine(grace=3)

    async def slow(session: trio_sio.Session) -> None:
        session.nursery.start_soon(trio.sleep_forever)
        await session.receive()

    async with open_wire(engine, slow) as wire, trio.open_nursery() as nursery:
        session = await wire.handshake()
        await half_a_request(wire)
        nursery.start_soon(engine.aclose)
        await wait_all_tasks_blocked()
        response = await wire.connect().request("GET", session.target)
        assert (response.status, response.body) == (503, b"the server is shutting down\n")


async def test_it_can_be_opened_again_but_not_twice(autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine()
    for _ in range(2):
        async with open_wire(engine, echo) as wire:
            with pytest.raises(RuntimeError, match="open already"):
                await engine.__aenter__()
            session = await wire.handshake()
            await session.post("4a")
            assert await session.poll() == ["4a"]


async def test_a_stream_needs_an_open_engine() -> None:
    with pytest.raises(RuntimeError, match="async with"):
        await trio_sio.Engine().serve_stream(memory_stream_pair()[0], echo)


async def test_options_are_fixed_while_it_serves(autojump_clock: MockClock) -> None:
    engine = trio_sio.Engine()
    engine.set_options(path="/a")
    async with engine:
        with pytest.raises(RuntimeError, match="path"):
            engine.set_options(path="/b")
    assert engine.options.path == "/a"


async def http_get(stream: trio.abc.Stream) -> bytes:
    await stream.send_all(
        b"GET /engine.io/?transport=polling HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    )
    data = b""
    while more := await stream.receive_some():
        data += more
    return data


def port_of(listeners: Sequence[Any]) -> int:
    listener = listeners[0]
    below = getattr(listener, "transport_listener", listener)
    port: int = below.socket.getsockname()[1]
    return port


async def test_serving_a_port_opens_and_closes_the_engine() -> None:
    engine = trio_sio.Engine()
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(
            lambda task_status: engine.serve_tcp(echo, 0, host="127.0.0.1", task_status=task_status)
        )
        assert engine.serving
        async with await trio.open_tcp_stream("127.0.0.1", port_of(listeners)) as stream:
            assert b"200 OK" in await http_get(stream)
        (session,) = engine.sessions.values()
        assert session.request.remote == "127.0.0.1"
        assert not session.request.secure
        nursery.cancel_scope.cancel()
    assert not engine.serving


async def test_a_used_port_is_an_os_error() -> None:
    (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
    async with listener:
        port = listener.socket.getsockname()[1]
        with pytest.raises(OSError, match="in use") as caught:
            await trio_sio.Engine().serve_tcp(echo, port, host="127.0.0.1")
        assert caught.value.errno == errno.EADDRINUSE


@pytest.mark.slow
async def test_tls() -> None:
    authority = trustme.CA()
    server_context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("here.example").configure_cert(server_context)
    client_context = ssl.create_default_context()
    authority.configure_trust(client_context)
    engine = trio_sio.Engine()
    async with engine, trio.open_nursery() as nursery:
        listeners = await nursery.start(
            lambda task_status: engine.serve_tcp(
                echo, 0, host="127.0.0.1", ssl_context=server_context, task_status=task_status
            )
        )
        plain = await trio.open_tcp_stream("127.0.0.1", port_of(listeners))
        stream = trio.SSLStream(
            plain, client_context, server_hostname="here.example", https_compatible=True
        )
        async with stream:
            assert b"200 OK" in await http_get(stream)
        (session,) = engine.sessions.values()
        assert session.request.secure
        assert session.request.remote == "127.0.0.1"
        async with await trio.open_tcp_stream("127.0.0.1", port_of(listeners)) as broken:
            assert b"HTTP" not in await http_get(broken)
        nursery.cancel_scope.cancel()
