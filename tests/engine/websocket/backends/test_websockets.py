"""What only the library websockets does: permessage-deflate, and fragments put together by us."""

import zlib

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    TEXT,
    RawWebSocket,
    echo,
    frame,
    websockets,
)
from trio_sio.protocol.encoded import Encoded

MAX_FRAGMENTS = 4096
TARGET = "/engine.io/?transport=websocket"
OFFER = "permessage-deflate; client_max_window_bits"
COMPRESSED = 0x40  # the bit RSV1


async def opened(client: RawWebSocket, offer: str | None = OFFER) -> str | None:
    """Go through the handshake; return the extensions that the server agreed to."""
    await client.upgrade(TARGET, Sec_WebSocket_Extensions=offer)
    await client.receive_frame()
    return client.headers.get("sec-websocket-extensions")


def inflate(data: bytes) -> bytes:
    return zlib.decompressobj(-15).decompress(data + b"\0\0\xff\xff")


def deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return (compressor.compress(data) + compressor.flush(zlib.Z_SYNC_FLUSH))[:-4]


@pytest.mark.parametrize(
    ("option", "offer", "agreed"),
    [
        (False, OFFER, None),
        (True, None, None),
        (True, "x-unknown, permessage-deflate; server_no_context_takeover; nonsense=1", None),
        (True, "permessage-deflate; nonsense=1, permessage-deflate", "permessage-deflate"),
        (
            {"server_max_window_bits": 10},
            "permessage-deflate; server_max_window_bits=99, "
            "permessage-deflate; server_max_window_bits=9, " + OFFER,
            "permessage-deflate; server_max_window_bits=9",
        ),
        (True, "permessage-deflate; nonsense=1, permessage-deflate; nonsense=2", None),
        (True, "permessage-deflate", "permessage-deflate"),
        (True, "x-unknown, " + OFFER, "permessage-deflate"),
        (True, "not a header;;", None),
        ({"server_max_window_bits": 10}, OFFER, "permessage-deflate; server_max_window_bits=10"),
        (
            {"server_no_context_takeover": True},
            OFFER,
            "permessage-deflate; server_no_context_takeover",
        ),
        (
            {"client_max_window_bits": 9},
            OFFER,
            "permessage-deflate; client_max_window_bits=9",
        ),
    ],
)
async def test_negotiation(
    option: bool | dict[str, int], offer: str | None, agreed: str | None, autojump_clock: MockClock
) -> None:
    async with websockets(per_message_deflate=option) as (_, (client,)):
        assert await opened(client, offer) == agreed


@pytest.mark.parametrize(
    ("option", "size", "compressed"),
    [
        (True, 1023, False),
        (True, 1024, True),
        ({"threshold": 10}, 9, False),
        ({"threshold": 10}, 10, True),
        ({"threshold": 0}, 1, True),
        (False, 5000, False),
    ],
)
async def test_messages_are_compressed_from_the_threshold_on(
    option: bool | dict[str, int], size: int, compressed: bool, autojump_clock: MockClock
) -> None:
    async with websockets(per_message_deflate=option) as (_, (client,)):
        await opened(client)
        message = b"4" + b"x" * (size - 1)
        await client.stream.send_all(frame(TEXT, message))
        opcode, payload = await client.receive_frame()
        assert opcode == (TEXT | COMPRESSED if compressed else TEXT)
        assert (inflate(payload) if compressed else payload) == message


async def test_compressed_messages_come_in(autojump_clock: MockClock) -> None:
    async with websockets(per_message_deflate=True) as (_, (client,)):
        await opened(client)
        await client.stream.send_all(frame(BINARY, deflate(b"\x04abc"), rsv=COMPRESSED))
        assert await client.receive() == b"\x04abc"


async def test_one_item_can_be_left_as_it_is(autojump_clock: MockClock) -> None:
    async def plain(session: trio_sio.Session) -> None:
        text = "x" * 5000
        await session.send(Encoded.of_messages((text,), compress=False))
        await session.send(Encoded.of_messages((text, b"y" * 5000)))
        await session.receive()

    async with websockets(plain, per_message_deflate=True) as (_, (client,)):
        await opened(client)
        assert (await client.receive_frame())[0] == TEXT
        assert (await client.receive_frame())[0] == TEXT | COMPRESSED
        assert (await client.receive_frame())[0] == BINARY | COMPRESSED


async def test_a_message_that_swells_is_refused(autojump_clock: MockClock) -> None:
    options: dict[str, object] = {"per_message_deflate": True, "max_http_buffer_size": 10_000}
    async with websockets(echo, **options) as (_, (client,)):  # type: ignore[arg-type]
        await opened(client)
        bomb = deflate(b"4" + bytes(10_000_000))
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.stream.send_all, frame(TEXT, bomb, rsv=COMPRESSED))
            assert await client.receive_frame() == (CLOSE, (1009).to_bytes(2, "big"))
            nursery.cancel_scope.cancel()


async def test_a_strangers_message_that_swells_is_refused(autojump_clock: MockClock) -> None:
    """What is counted on the wire is little; what it becomes counts."""
    serving = websockets(count=2, per_message_deflate=True, handshake_buffer_size=1000)
    async with serving as (engine, clients):
        for client, size in zip(clients, (1000, 1001), strict=True):
            await opened(client)
            await client.stream.send_all(frame(TEXT, deflate(b"4" * size), rsv=COMPRESSED))
        assert await clients[0].receive() == "4" * 1000
        assert await clients[1].receive_frame() == (CLOSE, (1009).to_bytes(2, "big"))
        (detail,) = [one.detail for one in engine.sessions.values() if one.detail]
        assert (detail.option, detail.limit) == ("handshake_buffer_size", 1000)


async def test_fragments_are_counted(autojump_clock: MockClock) -> None:
    async with websockets(ws_engine="websockets") as (_, (client,)):
        await opened(client)
        many = frame(TEXT, b"4", fin=False) + frame(0, b"", fin=False) * (MAX_FRAGMENTS + 1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(client.stream.send_all, many)
            assert await client.receive_frame() == (CLOSE, (1009).to_bytes(2, "big"))
            nursery.cancel_scope.cancel()


async def test_a_window_that_zlib_cannot_make(autojump_clock: MockClock) -> None:
    """RFC 7692 allows 8 bits; zlib makes a window of at least 9."""
    async with websockets(per_message_deflate=True) as (_, (client,)):
        assert await opened(client, "permessage-deflate; server_max_window_bits=8") is None
        await client.send("4plain")
        assert await client.receive() == "4plain"


@pytest.mark.parametrize(
    ("parameters", "smaller"),
    [({"level": 1}, {"level": 9}), ({"memory_level": 1}, {"memory_level": 9})],
)
async def test_level_and_memory(
    parameters: dict[str, int], smaller: dict[str, int], autojump_clock: MockClock
) -> None:
    message = b"4" + b" ".join(b"%d" % (n * n) for n in range(5000))
    sizes = []
    for option in (parameters, smaller):
        async with websockets(per_message_deflate=option) as (_, (client,)):
            await opened(client)
            await client.stream.send_all(frame(TEXT, message))
            payload = (await client.receive_frame())[1]
            assert inflate(payload) == message
            sizes.append(len(payload))
    assert sizes[0] > sizes[1]


def test_parameters_that_do_not_exist() -> None:
    with pytest.raises(TypeError, match="has no 'treshold'"):
        trio_sio.Engine(per_message_deflate={"treshold": 1})
