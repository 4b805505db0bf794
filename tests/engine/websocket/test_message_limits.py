"""The limits of a WebSocket message: exactly the limit passes, one more does not.

Whoever reads it: whole, in pieces, in fragments, or by the library.
"""

import zlib
from collections.abc import Iterator

import pytest
from trio.testing import MockClock

from tests.support.raw_websocket import (
    BINARY,
    CLOSE,
    PING,
    PONG,
    TEXT,
    RawWebSocket,
    frame,
    websockets,
)

CONTINUATION = 0
COMPRESSED = 0x40
TOO_BIG = (CLOSE, (1009).to_bytes(2, "big"))
FIRST = {TEXT: b"4", BINARY: b"\x04"}

both_libraries = pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
both_kinds = pytest.mark.parametrize("kind", [TEXT, BINARY], ids=["text", "binary"])


def fragments(kind: int, pieces: list[bytes], rsv: int = 0) -> list[bytes]:
    """Return the frames of a message."""
    last = len(pieces) - 1
    return [
        frame(CONTINUATION if n else kind, piece, fin=n == last, rsv=0 if n else rsv)
        for n, piece in enumerate(pieces)
    ]


async def opened(client: RawWebSocket, **fields: str) -> None:
    await client.upgrade("/engine.io/?transport=websocket", **fields)
    await client.receive()


async def answer(
    client: RawWebSocket, frames: list[bytes], *, pings: bool = False
) -> tuple[int, bytes]:
    """Send frames, perhaps with pings between them, and return the frame that comes of it."""
    *first, last = frames
    for one in first:
        await client.stream.send_all(one)
        if pings:
            await client.stream.send_all(frame(PING, b"?"))
            assert await client.receive_frame() == (PONG, b"?")
    await client.stream.send_all(last)
    return await client.receive_frame()


def limit_pieces(count: int) -> Iterator[tuple[str, list[bytes]]]:
    """Messages of so many fragments: of some size, of none but the first or the last."""
    yield "sized", [b"x"] * count
    yield "first", [b"x", *[b""] * (count - 1)]
    yield "last", [*[b""] * (count - 1), b"x"]


@both_libraries
@both_kinds
@pytest.mark.parametrize("limit", [1, 2, 5])
@pytest.mark.parametrize("pings", [False, True])
async def test_max_fragments(
    pings: bool, limit: int, kind: int, ws_engine: str, autojump_clock: MockClock
) -> None:
    for surplus in (0, 1):
        for name, pieces in limit_pieces(limit + surplus):
            async with websockets(ws_engine=ws_engine, max_fragments=limit) as (engine, (client,)):
                await opened(client)
                pieces[0] = FIRST[kind] + pieces[0]
                message = b"".join(pieces)
                found = await answer(client, fragments(kind, pieces), pings=pings)
                assert found == (TOO_BIG if surplus else (kind, message)), name
                if not surplus:  # the next one is counted anew
                    assert await answer(client, fragments(kind, pieces)) == (kind, message)
                    continue
                (detail,) = [one.detail for one in engine.sessions.values() if one.detail]
                assert (detail.option, detail.limit) == ("max_fragments", limit)
                assert detail.size == limit + 1


@both_libraries
async def test_max_fragments_of_a_message_that_has_no_end(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    async with websockets(ws_engine=ws_engine, max_fragments=3) as (_, (client,)):
        await opened(client)
        await client.stream.send_all(b"".join(fragments(TEXT, [b"4"] + [b""] * 4)[:-1]))
        assert await client.receive_frame() == TOO_BIG


@pytest.mark.slow
@both_libraries
@both_kinds
@pytest.mark.parametrize("limit", [2, 125, 126, 65_535, 65_536, 100_000])
@pytest.mark.parametrize("cut", [None, 1, 3], ids=["whole", "fragments", "more"])
@pytest.mark.parametrize("arrives", ["at-once", "in-pieces"])
async def test_max_http_buffer_size(
    arrives: str,
    cut: int | None,
    limit: int,
    kind: int,
    ws_engine: str,
    autojump_clock: MockClock,
) -> None:
    for surplus in (0, 1):
        serving = websockets(ws_engine=ws_engine, max_http_buffer_size=limit)
        async with serving as (engine, (client,)):
            await opened(client)
            message = FIRST[kind] + b"x" * (limit + surplus - 1)
            pieces = [message] if cut is None else [message[:cut], message[cut:]]
            frames = fragments(kind, pieces)
            if arrives == "in-pieces":
                await client.stream.send_all(frames[0][:7])
                frames[0] = frames[0][7:]
            assert await answer(client, [b"".join(frames)]) == (
                TOO_BIG if surplus else (kind, message)
            )
            if surplus:
                (detail,) = [one.detail for one in engine.sessions.values() if one.detail]
                assert (detail.option, detail.limit) == ("max_http_buffer_size", limit)


@both_kinds
@pytest.mark.parametrize("count", [1, 4])
async def test_both_limits_hold_for_compressed_messages(
    count: int, kind: int, autojump_clock: MockClock
) -> None:
    """Which the library reads, where there is compression at all."""
    for size, more in ((1000, 0), (1001, 0), (1000, 5 - count)):
        serving = websockets(per_message_deflate=True, max_http_buffer_size=1000, max_fragments=4)
        async with serving as (_, (client,)):
            await opened(client, Sec_WebSocket_Extensions="permessage-deflate")
            compressor = zlib.compressobj(wbits=-15)
            message = FIRST[kind] + b"x" * (size - 1)
            data = compressor.compress(message) + compressor.flush(zlib.Z_SYNC_FLUSH)
            data = data.removesuffix(b"\0\0\xff\xff")
            pieces = [data[n : n + 1] for n in range(count + more - 1)]
            pieces.append(data[count + more - 1 :])
            found = await answer(client, fragments(kind, pieces, rsv=COMPRESSED))
            if size > 1000 or more:
                assert found == TOO_BIG
            else:
                assert found[0] & 0x0F == kind
