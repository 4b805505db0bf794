"""A broadcast to many who poll: each body is made once, in pieces, and the loop goes on between."""

import gc
import gzip
import sys
import time
import zlib
from collections import Counter
from collections.abc import Sequence

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.engine.polling import shared_bodies
from trio_sio.engine.polling.compression import Compressor, compressor
from trio_sio.engine.polling.payload_format import PayloadFormat
from trio_sio.engine.polling.shared_bodies import (
    KEEP,
    MAX_BYTES,
    PIECE,
    Batch,
    SharedBodies,
    is_short,
)
from trio_sio.engine.runtime.timers import Timers
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio import codec_v3
from trio_sio.testing.wire import StreamPair, WireSession, open_wire

CLIENTS = 20
LARGE = 64 * 1024
GZIP = {"Accept-Encoding": "gzip"}
DEFLATE = {"Accept-Encoding": "deflate"}

streams = pytest.mark.parametrize("pair", [socket_pair, memory_stream_pair], ids=["tcp", "memory"])


class Work:
    """What is compressed.

    Attributes:
        compressors: how many were begun.
        pieces: bytes of each piece, with the number of the step in which it was compressed.
    """

    def __init__(self) -> None:
        self.compressors = 0
        self.pieces: list[tuple[object, int]] = []

    def __call__(self, encoding: str, level: int) -> Compressor:
        self.compressors += 1
        return Counting(self, compressor(encoding, level))


class Counting:
    """A compressor that is watched."""

    def __init__(self, work: Work, below: Compressor) -> None:
        self._work = work
        self._below = below

    def compress(self, data: bytes, /) -> bytes:
        self._work.pieces.append((trio.lowlevel.current_task(), len(data)))
        return self._below.compress(data)

    def flush(self, mode: int, /) -> bytes:
        return self._below.flush(mode)


@pytest.fixture
def work(monkeypatch: pytest.MonkeyPatch) -> Work:
    counted = Work()
    monkeypatch.setattr(shared_bodies, "compressor", counted)
    return counted


async def listen(session: trio_sio.Session) -> None:
    await session.receive()


def unpacked(encoding: str, body: bytes) -> bytes:
    if encoding == "gzip":
        return gzip.decompress(body)
    return zlib.decompress(body) if encoding == "deflate" else body


async def broadcast(
    pair: type[StreamPair],
    headers: list[dict[str, str]],
    query: str,
    message: str | bytes,
    *,
    held: bool = True,
) -> list[bytes]:
    """Send one packet to clients that poll; return the bodies of their answers."""
    engine = trio_sio.Engine(raise_errors=True)
    answers: list[bytes] = [b""] * len(headers)
    async with open_wire(engine, listen, streams=pair) as wire:  # type: ignore[arg-type]
        clients = [await wire.handshake(query, each) for each in headers]

        async def poll(number: int, client: WireSession) -> None:
            response = await client.poll_response()
            encoding = response.headers.get("content-encoding")
            assert encoding == headers[number].get("Accept-Encoding", "")
            answers[number] = unpacked(encoding, response.body)

        async with trio.open_nursery() as nursery:
            item = Encoded.of(message)
            if not held:
                for session in engine.sessions.values():
                    session.deliver(item)
            for number, client in enumerate(clients):
                nursery.start_soon(poll, number, client)
            await wait_all_tasks_blocked()
            if held:
                for session in engine.sessions.values():
                    session.deliver(item)
    return answers


@streams
@pytest.mark.parametrize("held", [True, False], ids=["held", "between polls"])
@pytest.mark.parametrize("size", [2000, LARGE])
@pytest.mark.parametrize("kind", ["text", "wide text", "base64", "binary"])
async def test_one_broadcast_is_compressed_once(
    pair: type[StreamPair],
    held: bool,
    size: int,
    kind: str,
    work: Work,
    autojump_clock: MockClock,
) -> None:
    message: str | bytes = {"text": "x" * size, "wide text": "€" * size}.get(kind, b"x" * size)
    query = "b64=1" if kind == "base64" else ""
    answers = await broadcast(pair, [GZIP] * CLIENTS, query, message, held=held)
    item = Encoded.of(message)
    if kind == "binary":
        expected = codec_v3.binary_piece(item.parts[0])
    else:
        expected = codec_v3.text_piece(item.parts[0])
    assert answers == [expected] * CLIENTS
    assert work.compressors == 1
    assert sum(length for _, length in work.pieces) == len(expected)
    assert max(length for _, length in work.pieces) <= PIECE


@streams
async def test_once_for_each_encoding(
    pair: type[StreamPair], work: Work, autojump_clock: MockClock
) -> None:
    headers: list[dict[str, str]] = [GZIP, DEFLATE, {}] * 5
    answers = await broadcast(pair, headers, "", "x" * LARGE)
    assert len(set(answers)) == 1
    assert work.compressors == 2


@pytest.mark.parametrize(
    ("query", "message"), [("", "€" * LARGE), ("b64=1", b"x" * LARGE), ("j=0", '"\u2028' * LARGE)]
)
async def test_a_body_is_joined_once(
    query: str, message: str | bytes, monkeypatch: pytest.MonkeyPatch, autojump_clock: MockClock
) -> None:
    """Framing, base64 and escaping of what is large are work for each recipient otherwise."""
    made = Counter[str]()
    encode = PayloadFormat.encode

    def counted(form: PayloadFormat, items: Sequence[Encoded], *, is_binary: bool) -> bytes:
        made["payload"] += sum(item.size for item in items) >= LARGE
        return encode(form, items, is_binary=is_binary)

    monkeypatch.setattr(PayloadFormat, "encode", counted)
    engine = trio_sio.Engine(raise_errors=True, http_compression=False)
    async with open_wire(engine, listen, streams=socket_pair) as wire:
        clients = [await wire.handshake(query) if query != "j=0" else None for _ in range(CLIENTS)]
        targets = []
        for client in clients:
            if client is not None:
                targets.append(client.target)
            else:
                opening = await wire.request("GET", wire.target("polling", query))
                sid = opening.text.partition('sid\\":\\"')[2].partition("\\")[0]
                targets.append(wire.target("polling", query, sid))
        item = Encoded.of(message)
        async with trio.open_nursery() as nursery:
            for target in targets:
                nursery.start_soon(wire.request, "GET", target)
            await wait_all_tasks_blocked()
            for session in engine.sessions.values():
                session.deliver(item)
    assert made["payload"] == 1


# -- the cache alone ------------------------------------------------------------------------------


def batch(size: int, encoding: str | None = "gzip") -> Batch:
    return Batch((Encoded.of("x" * size),), PayloadFormat(False), encoding)


@pytest.fixture
async def bodies(nursery: trio.Nursery) -> SharedBodies:
    timers = Timers()
    nursery.start_soon(timers.run)
    return SharedBodies(timers, trio.lowlevel.checkpoint, 6)


async def test_others_wait_for_what_is_being_made(bodies: SharedBodies, work: Work) -> None:
    one, results = batch(10 * PIECE), []

    async def make() -> None:
        results.append(await bodies.compress(one, b"x" * 10 * PIECE))

    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(make)
    assert len(set(results)) == 1
    assert gzip.decompress(results[0]) == b"x" * 10 * PIECE
    assert len(work.pieces) == 10


async def test_if_the_maker_is_cancelled_another_makes_it(bodies: SharedBodies, work: Work) -> None:
    one, results = batch(10 * PIECE), []

    async def make(scope: trio.CancelScope) -> None:
        with scope:
            results.append(await bodies.compress(one, b"x" * 10 * PIECE))

    scopes = [trio.CancelScope() for _ in range(4)]
    async with trio.open_nursery() as nursery:
        for scope in scopes:
            nursery.start_soon(make, scope)
        while not work.pieces:
            await trio.lowlevel.checkpoint()
        scopes[0].cancel()
        scopes[1].cancel()
    assert len(results) == 2
    assert {gzip.decompress(result) for result in results} == {b"x" * 10 * PIECE}


async def test_the_same_text_in_another_packet_is_another_batch(bodies: SharedBodies) -> None:
    one, other = batch(100), batch(100)
    await bodies.compress(one, b"x" * 100)
    assert bodies.find(one) is not None
    assert bodies.find(other) is None
    assert bodies.find(one._replace(encoding="deflate")) is None
    for form in (PayloadFormat(False, "0"), PayloadFormat(True)):
        assert bodies.find(one._replace(form=form)) is None


async def test_nothing_is_kept_for_long(bodies: SharedBodies, autojump_clock: MockClock) -> None:
    for _ in range(3):
        await bodies.compress(batch(100), b"x" * 100)
        await trio.sleep(KEEP / 2)
        assert len(bodies) > 0
    await trio.sleep(KEEP + 0.1)
    assert len(bodies) == 0


async def test_what_is_kept_is_bounded(bodies: SharedBodies) -> None:
    batches = [batch(MAX_BYTES // 4, None) for _ in range(10)]
    for one in batches:
        await bodies.join(one, lambda: b"body")
    assert [bodies.find(one) is not None for one in batches] == [False] * 7 + [True] * 3
    alone = batch(2 * MAX_BYTES, None)
    await bodies.join(alone, lambda: b"body")
    assert bodies.find(alone) == b"body"
    assert len(bodies) == 1


def test_what_is_short() -> None:
    assert is_short([Encoded.of("x" * 100)])
    assert not is_short([Encoded.of("x" * 5000)])
    assert is_short([Encoded.of("x")] * 100)
    assert not is_short([Encoded.of("x" * 100)] * 50)
    assert not is_short([Encoded.of("")] * 10_000)


# -- what a thousand clients cost -----------------------------------------------------------------

CLIENTS_PROGRAM = """
import asyncio, sys

async def main(port, count, accept):
    async def ask(reader, writer, target):
        head = f"GET {target} HTTP/1.1\\r\\nHost: a\\r\\nAccept-Encoding: {accept}\\r\\n\\r\\n"
        writer.write(head.encode())
        length = 0
        while (line := await reader.readline()) != b"\\r\\n":
            if line.lower().startswith(b"content-length"):
                length = int(line.split(b":")[1])
        return await reader.readexactly(length)

    path = "/engine.io/?EIO=3&transport=polling"
    pairs = []
    for _ in range(count):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        sid = (await ask(reader, writer, path)).split(b'"sid":"')[1].split(b'"')[0].decode()
        pairs.append((reader, writer, f"{path}&sid={sid}"))
    sizes = await asyncio.gather(*[ask(*pair) for pair in pairs])
    print(sum(map(len, sizes)))

asyncio.run(main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]))
"""


class Steps(trio.abc.Instrument):
    """The longest step of any task."""

    def __init__(self) -> None:
        self.longest, self._begun = 0.0, time.perf_counter()

    def before_task_step(self, task: trio.lowlevel.Task) -> None:
        self._begun = time.perf_counter()

    def after_task_step(self, task: trio.lowlevel.Task) -> None:
        self.longest = max(self.longest, time.perf_counter() - self._begun)


async def broadcast_to_a_crowd(count: int, accept: str, message: str) -> tuple[float, float, int]:
    """Return the CPU time that one broadcast takes, the longest step, and the bytes received."""
    engine = trio_sio.Engine(max_connections_per_address=None)
    async with engine, trio.open_nursery() as nursery:
        (listener,) = await trio.open_tcp_listeners(0, host="127.0.0.1")
        await nursery.start(engine.serve_listeners, listen, [listener])
        port = listener.socket.getsockname()[1]
        command = [sys.executable, "-c", CLIENTS_PROGRAM, str(port), str(count), accept]
        received: list[int] = []

        @nursery.start_soon
        async def run_clients() -> None:
            process = await trio.run_process(command, capture_stdout=True)
            received.append(int(process.stdout))
            over.set()

        over = trio.Event()
        while sum(session.writable for session in engine.sessions.values()) < count:  # noqa: ASYNC110
            await trio.sleep(0.05)  # for another process
        gc.collect()
        gc.disable()  # what it takes grows with all that this process has
        steps, begun, item = Steps(), time.process_time(), Encoded.of(message)
        trio.lowlevel.add_instrument(steps)
        for session in engine.sessions.values():
            session.deliver(item)
        await over.wait()
        trio.lowlevel.remove_instrument(steps)
        spent = time.process_time() - begun
        gc.enable()
        nursery.cancel_scope.cancel()
    return spent, steps.longest, received[0]


@pytest.mark.long
async def test_a_thousand_clients_hold_the_loop_for_no_longer_than_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """64 KiB for each of a thousand clients, which do or do not take gzip."""
    message = "".join(f'["price",{number},{number * 7919 % 10007}],' for number in range(3000))
    message = message[:LARGE]
    plain, plain_step, size = await broadcast_to_a_crowd(1000, "identity", message)
    packed, packed_step, packed_size = await broadcast_to_a_crowd(1000, "gzip", message)
    with capsys.disabled():
        sys.stdout.write(f"\nplain  {plain:.3f} s, longest step {plain_step * 1000:.1f} ms\n")
        sys.stdout.write(f"gzip   {packed:.3f} s, longest step {packed_step * 1000:.1f} ms\n")
    assert packed_size < size / 2
    assert packed_step < 0.05
    assert packed < 1.3 * plain
