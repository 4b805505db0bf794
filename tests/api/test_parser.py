"""Parsers: MessagePack with the JavaScript client that speaks it, and one of one's own."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

import trio_sio
from tests.support.peers import (
    POLLING as POLLING_CLIENT,
    UPGRADING,
    WEBSOCKET as WEBSOCKET_CLIENT,
    Kind,
    peer,
    served,
)
from tests.support.raw import POLLING, WEBSOCKET, raw
from tests.support.servers import MakeServer

node = pytest.mark.node
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ARGS = [1, "é\U0001f600", b"\x01\x02\x03", {"deep": [b"", None, 0.5]}, NOON]
SPEAKS_MSGPACK: dict[str, Any] = {"parser": "msgpack"}


def echo_server(make_server: MakeServer, **options: Any) -> trio_sio.Server:  # noqa: ANN401
    io = make_server(**options)
    io.on("repeat", lambda _socket, *args: args)
    admin = io.of("/admin")
    admin.on("repeat", lambda _socket, *args: args)

    @admin.use
    async def check(socket: trio_sio.Socket) -> None:
        if socket.handshake.query.get("token") != "s3cret":
            raise trio_sio.ConnectionRefused("no", data={"code": 401})

    @io.on("tell")
    async def tell(socket: trio_sio.Socket) -> None:
        await io.emit("told", *ARGS)
        await socket.emit("answer", await socket.call("question", b"?"))

    return io


@node
@pytest.mark.parametrize("kind", [UPGRADING, WEBSOCKET_CLIENT, POLLING_CLIENT], ids=str)
@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
async def test_the_javascript_client_speaks_msgpack(kind: Kind, make_server: MakeServer) -> None:
    io = echo_server(make_server, parser="msgpack")
    async with served(io) as url, peer() as process:
        options = {**SPEAKS_MSGPACK, **kind.options}
        answers: dict[str, list[object] | None] = {"question": [b"!", NOON]}
        anna = await process.connect(url, hear=["told", "answer"], answers=answers, **options)
        ben = await process.connect(url, hear=["told"], **options)
        assert await anna.call("repeat", *ARGS) == ARGS
        await anna.emit("tell")
        assert await anna.hear("told") == await ben.hear("told") == ARGS
        assert await anna.hear("answer") == [[b"!", NOON]]


@node
async def test_namespaces_by_msgpack(make_server: MakeServer) -> None:
    io = echo_server(make_server, parser="msgpack")
    async with served(io) as url, peer() as process:
        inside = await process.connect(f"{url}/admin?token=s3cret", **SPEAKS_MSGPACK)
        assert await inside.call("repeat", b"\x00") == [b"\x00"]
        outside = await process.open(f"{url}/admin?token=wrong", **SPEAKS_MSGPACK)
        assert await outside.hear("error") == ['{"code":401}']  # it would throw at an object
        nowhere = await process.open(f"{url}/nowhere", **SPEAKS_MSGPACK)
        assert await nowhere.hear("error") == ["Invalid namespace"]
        await next(iter(io.of("/admin").connected.values())).disconnect()
        assert await inside.hear("disconnect") == ["io server disconnect"]


async def test_msgpack_on_the_wire(make_server: MakeServer) -> None:
    io = echo_server(make_server, parser="msgpack")
    event = b"\x83\xa4type\x05\xa4data\x94\xa5hello\x01\xa2\xc3\xa9\xc4\x03\x01\x02\x03\xa3nsp\xa1/"
    call = b"\x84\xa4type\x02\xa4data\x92\xa6repeat\x01\xa2id\x07\xa3nsp\xa1/"
    answer = b"\x84\xa2id\x07\xa4type\x03\xa4data\x91\x01\xa3nsp\xa1/"
    async with served(io) as url, raw(url) as wire:
        _, response = await wire.handshake()
        assert response.body.startswith(b"96:0{")
        assert response.body.endswith(b'}21:4{"type":0,"nsp":"/"}')
        websocket = await wire.websocket()
        assert (await websocket.receive_frame())[1].startswith(b"0{")
        assert await websocket.receive() == '4{"type":0,"nsp":"/"}'
        await io.emit("hello", 1, "é", b"\x01\x02\x03")
        assert await websocket.receive() == b"\x04" + event
        await websocket.send(b"\x04" + call)
        assert await websocket.receive() == b"\x04" + answer
        await websocket.send('4{"type":1,"nsp":"/","data":0}')  # breaks the protocol
        assert await websocket.receive_frame() == (8, b"")


async def test_who_speaks_otherwise_is_shown_out(make_server: MakeServer) -> None:
    """The default parser's client and a server that speaks MessagePack."""
    io = echo_server(make_server, parser="msgpack")
    reasons: list[tuple[str, str]] = []
    io.on("error", lambda _socket, error: reasons.append(("error", str(error))))
    io.on("disconnect", lambda _socket, reason: reasons.append(("disconnect", str(reason))))
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        await websocket.receive()
        await websocket.send('42["repeat",1]')
        assert await websocket.receive_frame() == (8, b"")
        await websocket.rest()
    assert [event for event, _ in reasons] == ["error", "disconnect"]
    assert reasons[0][1].startswith("invalid format")
    assert reasons[1][1] == "forced close"


class Plain:
    """A parser of the application's own: one line of JSON for each packet."""

    class Encoder:
        def encode(self, packet: trio_sio.Packet, *, binary: bool = True) -> list[str | bytes]:
            words = [packet.type.name, packet.namespace, packet.data, packet.id]
            return [json.dumps(words)]

    class Decoder:
        def feed(self, message: str | bytes) -> trio_sio.Packet | None:
            try:
                name, namespace, data, ack_id = json.loads(message)
                return trio_sio.Packet(trio_sio.PacketType[name], namespace, data, ack_id)
            except (ValueError, KeyError) as error:
                raise trio_sio.RemoteProtocolError("not plain", str(error)) from None


async def test_a_parser_of_ones_own(make_server: MakeServer) -> None:
    io = echo_server(make_server, parser=Plain)
    async with served(io) as url, raw(url) as wire:
        websocket = await wire.websocket()
        await websocket.receive()
        assert await websocket.receive() == '4["CONNECT", "/", null, null]'
        await websocket.send('4["EVENT", "/", ["repeat", 1, 2], 7]')
        assert await websocket.receive() == '4["ACK", "/", [1, 2], 7]'
        await websocket.send("4nonsense")
        assert await websocket.receive_frame() == (8, b"")


async def test_it_may_be_set_until_serving_starts(make_server: MakeServer) -> None:
    io = make_server()
    chat = io.of("/chat")
    assert io.parser is None
    io.parser = "msgpack"
    io.parser = Plain()
    with pytest.raises(TypeError, match="option 'parser' must be"):
        io.parser = "yaml"  # type: ignore[assignment]
    async with served(io) as url, raw(url) as wire:
        assert (await wire.get(POLLING)).body.endswith(b'29:4["CONNECT", "/", null, null]')
        websocket = await wire.websocket(WEBSOCKET)
        await websocket.receive()
        await websocket.receive()
        await websocket.send('4["CONNECT", "/chat", null, null]')
        assert await websocket.receive() == '4["CONNECT", "/chat", null, null]'
        await chat.emit("a")  # a namespace that was there before it was set
        assert await websocket.receive() == '4["EVENT", "/chat", ["a"], null]'
        with pytest.raises(RuntimeError, match="parser"):
            io.parser = None
