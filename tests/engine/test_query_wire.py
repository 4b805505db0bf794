"""What a client says of itself in the query, by every transport."""

import base64
import zlib
from collections.abc import Callable

import pytest
import trio
from hypothesis import assume, example, given, strategies as st
from trio.testing import MockClock, memory_stream_pair

import trio_sio
from tests.support.examples import examples
from tests.support.refusals import told
from tests.support.socket_pairs import socket_pair
from trio_sio.options import WSEngine
from trio_sio.protocol.websocket.frame import BINARY, TEXT
from trio_sio.testing.wire import StreamPair, open_wire
from trio_sio.testing.wire_websocket import Frame, handshake_headers

BLOB = b"\x01\x02\xff"
LIBRARIES = ("trio-websocket", "websockets")
both_libraries = pytest.mark.parametrize("ws_engine", LIBRARIES)


async def echo(session: trio_sio.Session) -> None:
    while True:
        await session.send(await session.receive())


def inflated(frame: Frame) -> bytes:
    if not frame.rsv:
        return frame.payload
    return zlib.decompressobj(-15).decompress(frame.payload + b"\0\0\xff\xff")


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


@both_libraries
@pytest.mark.parametrize("streams", [memory_stream_pair, socket_pair])
@pytest.mark.parametrize(
    ("query", "kind", "payload"),
    [
        ("", BINARY, b"\x04" + BLOB),
        ("b64=", BINARY, b"\x04" + BLOB),
        ("b64", BINARY, b"\x04" + BLOB),
        ("b64=1", TEXT, b"b4AQL/"),
        ("b64=0", TEXT, b"b4AQL/"),
        ("b64=1&j=1", TEXT, b"b4AQL/"),
        ("j=1", BINARY, b"\x04" + BLOB),  # JSONP is a way of polling
    ],
)
async def test_a_websocket_that_takes_no_binary_frames(
    query: str,
    kind: int,
    payload: bytes,
    streams: Callable[[], StreamPair],
    ws_engine: WSEngine,
) -> None:
    async with open_wire(engine(ws_engine=ws_engine), echo, streams=streams) as wire:
        websocket = await wire.websocket(query)
        await websocket.receive()
        for sent in (b"\x04" + BLOB, "b4AQL/"):
            await websocket.send(sent)
            assert (await websocket.receive_frame())[:2] == (kind, payload)
        await websocket.send_frame(9, b"still there?")
        assert (await websocket.receive_frame())[:2] == (10, b"still there?")
        await websocket.send("4text")
        assert await websocket.receive() == "4text"


@both_libraries
@pytest.mark.parametrize("by_polling", ["", "b64=1"])
@pytest.mark.parametrize("by_websocket", ["", "b64=1"])
async def test_in_an_upgrade_each_transport_goes_by_its_own_query(
    by_polling: str, by_websocket: str, ws_engine: WSEngine, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(ws_engine=ws_engine), echo) as wire:
        session = await wire.handshake(by_polling)
        await session.post("b4AQL/")
        response = await session.poll_response()
        assert response.body == (b"6:b4AQL/" if by_polling else b"\x01\x04\xff\x04" + BLOB)
        websocket = await session.upgrade(by_websocket)
        await websocket.send("b4AQL/")
        assert await websocket.receive() == ("b4AQL/" if by_websocket else b"\x04" + BLOB)


@both_libraries
async def test_a_broadcast_to_both_kinds(ws_engine: WSEngine, autojump_clock: MockClock) -> None:
    """One event with an attachment, which each gets whole and in its form; compressed as well."""
    compress = {"threshold": 10} if ws_engine == "websockets" else False
    io = trio_sio.Server(raise_errors=True, ws_engine=ws_engine, per_message_deflate=compress)
    offer = {"Sec-WebSocket-Extensions": "permessage-deflate; server_no_context_takeover"}
    async with open_wire(io) as wire:
        plain = await wire.websocket()
        based = await wire.websocket("b64=1")
        both = await wire.websocket("b64=1", offer if compress else None)
        for websocket in (plain, based, both):
            opening, joined = [await websocket.receive_frame() for _ in range(2)]
            assert inflated(opening).startswith(b"0{")
            assert inflated(joined) == b"40"
        for size in (3, 5000):
            blob = b"\x01" * size
            await io.emit("news", blob)
            head = '451-["news",{"_placeholder":true,"num":0}]'
            text = "b4" + base64.b64encode(blob).decode()
            assert [await plain.receive() for _ in range(2)] == [head, b"\x04" + blob]
            assert [await based.receive() for _ in range(2)] == [head, text]
            frames = [await both.receive_frame() for _ in range(2)]
            assert [frame.opcode for frame in frames] == [TEXT, TEXT]
            assert [inflated(frame) for frame in frames] == [head.encode(), text.encode()]


# -- keys that come more than once --------------------------------------------------------------

CODES = {"transport": 0, "sid": 1, "EIO": 5, "j": 3, "b64": 3}
MESSAGES = {
    0: "Transport unknown",
    1: "Session ID unknown",
    3: "Bad request",
    5: "Unsupported protocol version",
}
VALUES = st.sampled_from(["", "3", "1", "polling", "websocket", "SID", "nobody", "%00", "+"])


@examples(150)
@given(
    key=st.sampled_from(sorted(CODES)),
    values=st.lists(VALUES, min_size=2, max_size=4),
    spelling=st.sampled_from([str, lambda key: f"%{ord(key[0]):02x}{key[1:]}"]),
    with_sid=st.booleans(),
    request_=st.sampled_from(["GET", "POST", "upgrade"]),
    first=st.booleans(),
)
@example("sid", ["SID", "SID"], str, True, "GET", True)
@example("transport", ["polling", "polling"], str, True, "POST", False)
async def test_a_request_with_a_key_of_the_engine_twice_is_refused_as_what_it_meant(
    key: str,
    values: list[str],
    spelling: Callable[[str], str],
    with_sid: bool,
    request_: str,
    first: bool,
) -> None:
    """It begins no session, and costs none."""
    websocket = request_ == "upgrade"
    assume(not with_sid or key in ("transport", "sid") or (websocket and key == "b64"))
    with trio.CancelScope() as scope:
        async with open_wire(engine(), echo) as wire:
            session = await wire.handshake()
            own = {"EIO": "3", "transport": "websocket" if websocket else "polling"}
            own |= {"sid": session.sid} if with_sid else {}
            fields = [f"{name}={value}" for name, value in own.items() if name != key]
            again = [f"{spelling(key)}={value.replace('SID', session.sid)}" for value in values]
            target = "/engine.io/?" + "&".join([*again, *fields] if first else [*fields, *again])
            response = await wire.request(
                "POST" if request_ == "POST" else "GET",
                target,
                handshake_headers() if websocket else {},
                b"2:4a" if request_ == "POST" else b"",
            )
            code = CODES[key]
            message = MESSAGES[code]
            wanted = message if websocket else f'{{"code":{code},"message":"{message}"}}'
            assert (response.status, response.text) == (400, told(wanted))
            assert f"the query has '{key}' more than once" in response.text or key == "transport"
            await session.post("4still here")
            assert await session.poll() == ["4still here"]
            assert list(wire.engine.sessions) == [session.sid]
            scope.cancel()


async def test_other_keys_may_come_as_often_as_they_like(autojump_clock: MockClock) -> None:
    async with open_wire(engine(), echo) as wire:
        session = await wire.handshake("t=1&t=2&token=a&token=b")
        assert wire.engine.sessions[session.sid].request.query_string.endswith("token=a&token=b")
