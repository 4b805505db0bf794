"""Packets of MessagePack, as an operator sees them: as text, cut, and without the view's own."""

import json
from typing import Any

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from trio_sio.admin import Admin
from trio_sio.admin.packed import MAX_DECODED, PackedReader
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.testing import connect

msgpack = pytest.importorskip("msgpack")


def reader(namespace: str = "/admin") -> tuple[trio_sio.Server, PackedReader]:
    io = trio_sio.Server(parser="msgpack")
    found = PackedReader.of(io, namespace)
    assert found is not None
    return io, found


@pytest.mark.parametrize(
    ("packet", "text"),
    [
        (Packet(PacketType.EVENT, "/", ["news", 1]), '2["news", 1]'),
        (Packet(PacketType.EVENT, "/chat", ["news", b"abc"], 7), '5/chat,7["news", "<3 bytes>"]'),
        (Packet(PacketType.ACK, "/chat", [{"a": None}], 7), '3/chat,7[{"a": null}]'),
        (Packet(PacketType.CONNECT, "/chat?token=secret"), "0/chat?token=secret,"),
    ],
)
def test_what_it_says(packet: Packet, text: str) -> None:
    io, found = reader()
    (message,) = io.router.encoder.encode(packet)
    assert found.read(message) == text


def nested(depth: int) -> bytes:
    return b"\x83\xa4type\x02\xa4data" + b"\x91" * depth + b"\xa1x\xa3nsp\xa1/"


@pytest.mark.parametrize(
    "message",
    [b"", b"\xc1", b"\xdd\xff\xff\xff\xff", "no JSON", "[]", "{}", nested(3000), "[" * 4000],
    ids=repr,
)
def test_what_is_no_packet_stays_as_it_is(message: str | bytes) -> None:
    assert reader()[1].read(message) == message


def test_a_long_one_is_not_decoded() -> None:
    io, found = reader()
    (message,) = io.router.encoder.encode(Packet(PacketType.EVENT, "/", ["x" * MAX_DECODED]))
    assert found.read(message) == message


@pytest.mark.parametrize("own", ["/admin", "/nsp", "/" + "x" * 40, "/" + "x" * 300])
def test_long_ones_of_the_view_are_known_by_their_end(own: str) -> None:
    io, found = reader(own)
    for namespace in (own, "/", f"{own}s", f"/a{own}"):
        (message,) = io.router.encoder.encode(Packet(PacketType.EVENT, namespace, [own], 3))
        assert isinstance(message, bytes)
        assert found.is_own(message) == (namespace == own)


def test_another_parser_is_not_read() -> None:
    assert PackedReader.of(trio_sio.Server(), "/admin") is None


async def test_an_operator_reads_packets_of_others_alone(autojump_clock: MockClock) -> None:
    io = trio_sio.Server(parser="msgpack")
    io.on("say", lambda socket, *args: args)
    Admin(io, check=lambda socket: True)
    shown: list[dict[str, Any]] = []
    async with io, connect(io, "/admin", query={"token": "secret"}) as page:
        assert await page.call("watch packets", True) == [{"watching": True, "session": None}]
        async with connect(io, query={"token": "secret"}) as client:
            await client.call("say", "hello", b"abc")
            await client.call("say", "x" * 5000)
        with trio.move_on_after(10):
            while True:
                event, batch, *_ = await page.receive()
                if event == "packets":
                    assert batch["missed"] == 0
                    shown += batch["rows"]
    assert "secret" not in json.dumps(shown)
    told = [(row["in"], row["kind"], row["text"]) for row in shown]
    assert told == [
        (False, "CONNECT", ""),
        (True, "BINARY_EVENT", '0["say", "hello", "<3 bytes>"]'),
        (False, "BINARY_ACK", '0["hello", "<3 bytes>"]'),
        (True, "MESSAGE", "5,030 bytes"),
        (False, "MESSAGE", "5,026 bytes"),
    ]
