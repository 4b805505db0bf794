"""A byte stream with two short cuts for plain TCP, and a place for bytes read too early.

On a plain socket, waiting until it is readable and then reading spares the exception and the
task switch of a first read that would block; and writing without waiting is what the direct path
is made of. Over TLS or in memory everything goes the stream's own way.
"""

import os
import select
import socket
import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress

import trio

from trio_sio.engine.runtime.socket_errors import Meaning, meaning
from trio_sio.statistics import Counters

READ_SIZE = 16 * 1024

NO_MEMORY_PAUSE = 0.02
"""Seconds to wait when the kernel has no memory for a connection: it has no event for that."""

_HAS_FILE_DESCRIPTORS = sys.platform != "win32"
"""Where sockets are file descriptors, os.read and os.write are the non-blocking calls that Trio
leaves to us; elsewhere every write is the writer task's."""


class ByteStream:
    """One connection's stream.

    The application may close a stream that it gave us at any moment, and the kernel gives the
    number of its descriptor to the next connection. So no number is kept: the socket is asked
    before each use, and says -1 once it is closed.

    Args:
        stream: the stream below.
        counters: of the server; they are told how many bytes come and go.

    Attributes:
        stream: the stream below.
        direct: whether `write_nowait` works.
        broken: whether `write_nowait` found that the connection is.
    """

    __slots__ = (
        "_counters",
        "_interrupts",
        "_on_closed",
        "_socket",
        "_unread",
        "broken",
        "direct",
        "stream",
    )

    _socket: trio.socket.SocketType  # there is one if `direct`

    def __init__(self, stream: trio.abc.Stream, counters: Counters | None = None) -> None:
        self.stream = stream
        self._counters = counters or Counters()
        self._unread = b""
        self._interrupts = 0
        self._on_closed: Callable[[], object] | None = None
        self.broken = False
        self.direct = False
        if _HAS_FILE_DESCRIPTORS and type(stream) is trio.SocketStream:
            self._socket = stream.socket
            self.direct = self._socket.fileno() >= 0

    def unread(self, data: bytes) -> None:
        """Put back bytes that belong to whoever reads next."""
        self._unread = data + self._unread

    async def read(self) -> bytes:
        """Return some bytes, `b""` at the end.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side, or `interrupt_reader` was called.
        """
        if self._unread:
            await trio.lowlevel.checkpoint()
            data, self._unread = self._unread, b""
            return data
        if not self.direct:
            data = bytes(await self.stream.receive_some(READ_SIZE))
            self._counters.bytes_in += len(data)
            return data
        interrupts = self._interrupts
        while True:
            descriptor = self._socket.fileno()
            if descriptor < 0:
                raise self._closed()
            await trio.lowlevel.wait_readable(descriptor)
            if self._interrupts != interrupts:
                raise trio.ClosedResourceError
            try:
                data = os.read(self._socket.fileno(), READ_SIZE)
            except OSError as error:
                await self._get_over(error)
                continue
            self._counters.bytes_in += len(data)
            return data

    @property
    def descriptor(self) -> int:
        """What to wait for before `read_nowait`; -1 if only `read` will do.

        Who reads often spares a coroutine by that, 0.4 µs. It is good until the next checkpoint.
        """
        return -1 if self._unread or not self.direct else self._socket.fileno()

    def read_nowait(self) -> bytes | None:
        """Return some bytes, `b""` at the end, `None` if there are none yet; raises as `read`."""
        if not self.direct:
            raise trio.ClosedResourceError
        try:
            data = os.read(self._socket.fileno(), READ_SIZE)
        except OSError as error:
            if meaning(error) is Meaning.END:
                raise self._end(error) from error
            return None
        self._counters.bytes_in += len(data)
        return data

    @property
    def hung_up(self) -> bool:
        """Whether the peer has closed or broken the connection, seen without reading from it.

        What it sent before may still be unread. Seen on sockets, also below TLS, of Linux; other
        systems tell of broken connections only, or of nothing.
        """
        return self._polls(getattr(select, "POLLRDHUP", 0), self.broken)

    @property
    def has_unread(self) -> bool:
        """Whether there is something to read: bytes, or the end.

        Seen on sockets, also below TLS, of systems that have `poll`; elsewhere `False`.
        """
        return bool(self._unread) or self._polls(getattr(select, "POLLIN", 0), False)

    def _polls(self, events: int, otherwise: bool) -> bool:
        """Whether the kernel knows of one of `events`, or of an error; `otherwise` if not asked."""
        below: object = self.stream
        while isinstance(below, trio.SSLStream):
            below = below.transport_stream
        if not isinstance(below, trio.SocketStream) or not hasattr(select, "poll"):
            return otherwise
        descriptor = below.socket.fileno()
        if descriptor < 0:
            return True
        poll = select.poll()
        poll.register(descriptor, events)
        return bool(poll.poll(0))

    def interrupt_reader(self) -> None:
        """Make a pending `read` or `send_all` raise `ClosedResourceError`; needs `direct`.

        Also one that has seen the socket become ready, and is about to go on. The next one works
        again.
        """
        self._interrupts += 1
        if self.direct and (descriptor := self._socket.fileno()) >= 0:
            trio.lowlevel.notify_closing(descriptor)

    def write_nowait(self, data: bytes) -> int:
        """Hand bytes to the kernel and return how many it took, perhaps none; needs `direct`.

        A broken connection takes everything: whoever reads from it learns of the end.
        """
        try:
            sent = os.write(self._socket.fileno(), data)
        except OSError as error:
            if meaning(error) is not Meaning.END:
                return 0
            self.broken = True
            with suppress(OSError):  # whatever the error was, the reader gets to the end
                self._socket.shutdown(socket.SHUT_RDWR)
            return len(data)
        self._counters.bytes_out += sent
        return sent

    async def begin_write(self, data: bytes) -> bytes:
        """Send what leaves at once, without Trio's detours; return the rest, for `send_all`.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side.
        """
        if not self.direct:
            return data
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            sent = os.write(self._socket.fileno(), data)
        except OSError as error:
            if meaning(error) is Meaning.END:
                raise self._end(error) from error
            return data
        self._counters.bytes_out += sent
        return data[sent:]

    async def write(self, data: bytes) -> None:
        """Send everything; raises as `send_all`."""
        rest = await self.begin_write(data)
        if rest:
            await self.send_all(rest)

    async def send_all(self, data: bytes | memoryview) -> None:
        """Send everything.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side, or `interrupt_reader` was called.
        """
        if not self.direct:
            await self.stream.send_all(data)
            self._counters.bytes_out += len(data)
            return
        interrupts = self._interrupts
        rest = memoryview(data)
        await trio.lowlevel.checkpoint()
        while self._interrupts == interrupts:
            try:
                sent = os.write(self._socket.fileno(), rest)
            except OSError as error:
                await self._get_over(error)
            else:
                self._counters.bytes_out += sent
                rest = rest[sent:]
            if not rest:
                return
            await self._wait(trio.lowlevel.wait_writable)
        raise trio.ClosedResourceError

    async def _wait(self, wait: Callable[[int], Awaitable[None]]) -> None:
        descriptor = self._socket.fileno()
        if descriptor < 0:
            raise self._closed()
        await wait(descriptor)

    async def _get_over(self, error: OSError) -> None:
        """Wait as long as an error makes necessary; raises what stands for it if it is the end."""
        what = meaning(error)
        if what is Meaning.END:
            raise self._end(error) from error
        if what is Meaning.NO_MEMORY:
            await trio.sleep(NO_MEMORY_PAUSE)

    def _end(self, error: OSError) -> Exception:
        if self._socket.fileno() < 0:
            return self._closed()
        return trio.BrokenResourceError(str(error))

    def _closed(self) -> trio.ClosedResourceError:
        """Note that somebody else has closed the stream."""
        self.direct = False
        return trio.ClosedResourceError("the stream was closed")

    async def send_eof(self) -> None:
        """Close the sending half where the stream can (TLS cannot).

        If that fails, whoever reads learns whether it is the end.
        """
        if isinstance(self.stream, trio.abc.HalfCloseableStream):
            with suppress(trio.BrokenResourceError):
                await self.stream.send_eof()

    def when_closed(self, function: Callable[[], object]) -> None:
        """Have a function called once, when `aclose` closes the stream, whoever calls that."""
        self._on_closed = function

    async def aclose(self) -> None:
        """Close at once, without the goodbyes of the layers below."""
        self.direct = False
        try:
            await trio.aclose_forcefully(self.stream)
        finally:
            function, self._on_closed = self._on_closed, None
            if function is not None:
                function()


LINGER_TIME = 2.0
LINGER_BYTES = 256 * 1024
"""After a refusal the client may still be sending; what it sends is read and dropped for so many
seconds and bytes, since closing on unread bytes would reset the connection and take the answer
with it."""


async def linger(pipe: ByteStream) -> None:
    """Say that nothing more comes, and wait a while for the client to hear that."""
    left = LINGER_BYTES
    with trio.move_on_after(LINGER_TIME):
        await pipe.send_eof()
        while left > 0:
            data = await pipe.read()
            if not data:
                return
            left -= len(data)
