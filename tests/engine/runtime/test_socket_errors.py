"""What the kernel says, injected where the pipe asks it, and what becomes of the bytes."""

import errno
import os
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from tests.endings import client_states
from tests.engine.runtime.test_stream import connection
from tests.support.stage import Guest, Stage, serving, until
from trio_sio.engine.runtime import stream as pipe_module
from trio_sio.engine.runtime.socket_errors import MEANINGS, Meaning, meaning
from trio_sio.engine.runtime.stream import ByteStream

PASSING = [errno.EAGAIN, errno.EINTR, errno.ENOBUFS, errno.ENOMEM]
FINAL = [errno.EPIPE, errno.ECONNRESET, errno.ENOTCONN, errno.ETIMEDOUT, errno.EHOSTUNREACH]
UNKNOWN = [errno.EIO, errno.EINVAL, 9999]

passing = pytest.mark.parametrize("number", PASSING, ids=errno.errorcode.get)
final = pytest.mark.parametrize(
    "number", FINAL + UNKNOWN, ids=lambda number: errno.errorcode.get(number, "unknown")
)


class FaultyKernel:
    """Stands where `os` stands in the pipe: some calls fail before they have done anything.

    Attributes:
        reads: errors of the next calls of `read`.
        writes: of `write`.
    """

    def __init__(self) -> None:
        self.reads: list[int] = []
        self.writes: list[int] = []

    def read(self, descriptor: int, size: int) -> bytes:
        self._fail(self.reads)
        return os.read(descriptor, size)

    def write(self, descriptor: int, data: bytes) -> int:
        self._fail(self.writes)
        return os.write(descriptor, data)

    def _fail(self, errors: list[int]) -> None:
        if errors:
            number = errors.pop()
            raise OSError(number, os.strerror(number))


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> FaultyKernel:
    faulty = FaultyKernel()
    monkeypatch.setattr(pipe_module, "os", faulty)
    return faulty


@pytest.mark.parametrize("number", [*PASSING, *FINAL, *UNKNOWN])
def test_meaning(number: int) -> None:
    what = meaning(OSError(number, ""))
    assert (what is Meaning.END) is (number not in PASSING)
    assert (what is Meaning.NO_MEMORY) is (number in (errno.ENOBUFS, errno.ENOMEM))


def test_an_error_without_a_number_is_the_end() -> None:
    assert meaning(OSError("of Python's own")) is Meaning.END


def test_whatever_python_calls_blocking_is_not_ready() -> None:
    for number in MEANINGS:
        if isinstance(OSError(number, ""), BlockingIOError | InterruptedError):
            assert MEANINGS[number] is Meaning.NOT_READY


@passing
async def test_a_write_that_does_not_go_now_takes_nothing(
    number: int, kernel: FaultyKernel
) -> None:
    async with connection() as (pipe, other):
        kernel.writes = [number]
        assert pipe.write_nowait(b"abc") == 0
        assert not pipe.broken
        kernel.writes = [number]
        assert await pipe.begin_write(b"abc") == b"abc"
        assert pipe.write_nowait(b"abc") == 3
        assert await other.receive_some() == b"abc"


@passing
@pytest.mark.parametrize("times", [1, 7])
async def test_the_writer_tries_on(
    number: int, times: int, kernel: FaultyKernel, autojump_clock: MockClock
) -> None:
    async with connection() as (pipe, other):
        kernel.writes = [number] * times
        await pipe.send_all(b"abc")
        kernel.writes = [number] * times
        await pipe.write(b"def")
        assert await other.receive_some(6) == b"abcdef"


@passing
@pytest.mark.parametrize("times", [1, 7])
async def test_a_reader_tries_on(
    number: int, times: int, kernel: FaultyKernel, autojump_clock: MockClock
) -> None:
    async with connection() as (pipe, other):
        await other.send_all(b"abc")
        kernel.reads = [number]
        await trio.lowlevel.wait_readable(pipe.descriptor)
        assert pipe.read_nowait() is None
        kernel.reads = [number] * times
        assert await pipe.read() == b"abc"


@pytest.mark.parametrize("number", [errno.ENOBUFS, errno.ENOMEM], ids=errno.errorcode.get)
async def test_without_memory_nobody_spins(
    number: int, kernel: FaultyKernel, autojump_clock: MockClock
) -> None:
    async with connection() as (pipe, other):
        await other.send_all(b"abc")
        for errors, act in ((kernel.reads, pipe.read), (kernel.writes, partial_send(pipe))):
            errors.extend([number] * 10)
            begun = trio.current_time()
            await act()
            assert trio.current_time() - begun == pytest.approx(10 * pipe_module.NO_MEMORY_PAUSE)


def partial_send(pipe: ByteStream) -> Callable[[], Awaitable[object]]:
    async def send() -> None:
        await pipe.send_all(b"abc")

    return send


@final
async def test_the_end_is_the_end(number: int, kernel: FaultyKernel) -> None:
    async with connection() as (pipe, _):
        for act in (pipe.send_all, pipe.write):
            kernel.writes = [number]
            with pytest.raises(trio.BrokenResourceError):
                await act(b"abc")
    async with connection() as (pipe, other):
        await other.send_all(b"abc")
        kernel.reads = [number] * 2
        with pytest.raises(trio.BrokenResourceError):
            await pipe.read()
        with pytest.raises(trio.BrokenResourceError):
            pipe.read_nowait()


@final
async def test_whoever_reads_learns_of_an_end_that_a_write_found(
    number: int, kernel: FaultyKernel
) -> None:
    async with connection() as (pipe, other):
        await other.send_all(b"the last words")
        kernel.writes = [number]
        assert pipe.write_nowait(b"abc") == 3
        assert pipe.broken
        assert await pipe.read() == b"the last words"
        assert await pipe.read() == b""


@pytest.mark.parametrize("number", [errno.ENOTCONN, errno.ENOBUFS])
async def test_a_shutdown_that_fails_leaves_the_word_to_the_reader(number: int) -> None:
    class Unwilling(trio.abc.HalfCloseableStream):
        async def send_eof(self) -> None:
            raise trio.BrokenResourceError from OSError(number, "")

        async def send_all(self, data: object) -> None: ...
        async def wait_send_all_might_not_block(self) -> None: ...
        async def aclose(self) -> None: ...
        async def receive_some(self, max_bytes: int | None = None) -> bytes:
            return b""

    await ByteStream(Unwilling()).send_eof()


# -- a client's events, while the kernel lacks memory ---------------------------------------------


@passing
@pytest.mark.parametrize(
    "enter", [client_states.polling, client_states.joined], ids=["polling", "websocket"]
)
async def test_no_event_is_lost(
    number: int,
    enter: Callable[[Stage, Guest], Awaitable[object]],
    kernel: FaultyKernel,
    autojump_clock: MockClock,
) -> None:
    stage: Any = Stage()
    async with serving(stage) as open_stream:
        guest = Guest(open_stream)
        await enter(stage, guest)
        await until(lambda: stage.count(lambda one: one.writable) == 1, lambda: "writable")
        one = stage.io.sockets.connected[guest.sid]
        kernel.writes = [number] * 3
        one.emit_nowait("first")
        one.emit_nowait("second")
        await wait_all_tasks_blocked()
        if guest.websocket is not None:
            assert await guest.websocket.receive() == '42["first"]'
            assert await guest.websocket.receive() == '42["second"]'
        else:
            text = (await guest.connections[0].receive_response()).text
            if "second" not in text:
                text += (await guest.connections[0].request("GET", guest.target)).text
            assert text == '11:42["first"]12:42["second"]'
        assert stage.count(lambda one: not one.closed) == 1
        await guest.cut()
