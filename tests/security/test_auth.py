"""What a client of Socket.IO 3 or 4 says with CONNECT: data for the application alone."""

import json
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

import trio_sio
from tests.security.clients import end_of, opened
from tests.security.neighbour import beside
from tests.support.examples import examples
from tests.support.servers import MakeServer

SECRET = "correct horse battery staple"

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
NAMES = st.sampled_from(["__proto__", "constructor", "token", "sid", "pid", "offset", ""])


@examples(30)
@given(auth=st.dictionaries(NAMES, JSON_VALUES))
def test_what_comes_with_connect_is_data_and_nothing_else(auth: dict[str, Any]) -> None:
    """The application sees what was sent, whatever its names; nobody else does."""
    seen: list[object] = []

    async def run() -> None:
        io = trio_sio.Server(raise_errors=True)
        io.use(lambda socket: seen.append(socket.handshake.auth))
        async with beside(io) as wire:
            websocket = await opened(wire, eio=4)
            await websocket.send("40" + json.dumps(auth))
            answer = str(await websocket.receive())
            assert json.loads(answer[2:]).keys() == {"sid"}
            await websocket.send('4277["neighbour",0]')
            assert await websocket.receive() == '42["heard",0]'

    trio.run(run, clock=MockClock(autojump_threshold=0))
    assert seen == [{}, auth]  # of the neighbour, who speaks Socket.IO 2, first


async def test_no_log_tells_what_comes_with_connect(
    autojump_clock: MockClock, make_server: MakeServer, caplog: pytest.LogCaptureFixture
) -> None:
    io = make_server()
    io.of("/private").use(_refuse)
    with caplog.at_level("INFO"):
        async with beside(io) as wire:
            websocket = await opened(wire, eio=4)
            auth = json.dumps({"token": SECRET})
            for name in ("", "/private,", "/nowhere,"):
                await websocket.send(f"40{name}{auth}")
                await websocket.receive()
            await websocket.send(f"40{auth}{auth}")  # which is no JSON
            await end_of(websocket)
    assert SECRET not in caplog.text


def _refuse(socket: trio_sio.Socket) -> None:
    raise trio_sio.ConnectionRefused("not you")
