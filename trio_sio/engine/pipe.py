"""A byte stream with two short cuts for plain TCP, and a place for bytes read too early.

On a plain socket, waiting until it is readable and then reading spares the exception and the
task switch of a first read that would block; and writing without waiting is what the direct path
is made of. Over TLS or in memory everything goes the stream's own way.
"""

import os
import select
import sys

import trio

from trio_sio.counters import Counters

READ_SIZE = 16 * 1024

_HAS_FILE_DESCRIPTORS = sys.platform != "win32"
"""Where sockets are file descriptors, os.read and os.write are the non-blocking calls that Trio
leaves to us; elsewhere every write is the writer task's."""


class Pipe:
    """One connection's stream.

    Args:
        stream: the stream below.
        counters: of the server; they are told how many bytes come and go.

    Attributes:
        stream: the stream below.
        direct: whether `write_nowait` works.
        broken: whether `write_nowait` found that the connection is.
    """

    __slots__ = ("_counters", "_descriptor", "_unread", "broken", "direct", "stream")

    def __init__(self, stream: trio.abc.Stream, counters: Counters | None = None) -> None:
        self.stream = stream
        self._counters = counters or Counters()
        self._descriptor = -1
        self._unread = b""
        self.broken = False
        if _HAS_FILE_DESCRIPTORS and type(stream) is trio.SocketStream:
            self._descriptor = stream.socket.fileno()
        self.direct = self._descriptor >= 0

    def unread(self, data: bytes) -> None:
        """Put back bytes that belong to whoever reads next."""
        self._unread = data + self._unread

    async def read(self) -> bytes:
        """Return some bytes, `b""` at the end.

        Raises:
            trio.BrokenResourceError: the connection broke.
            trio.ClosedResourceError: it was closed on this side.
        """
        if self._unread:
            await trio.lowlevel.checkpoint()
            data, self._unread = self._unread, b""
            return data
        if not self.direct:
            data = bytes(await self.stream.receive_some(READ_SIZE))
            self._counters.bytes_in += len(data)
            return data
        while True:
            await trio.lowlevel.wait_readable(self._descriptor)
            received = self.read_nowait()
            if received is not None:
                return received

    @property
    def descriptor(self) -> int:
        """What to wait for before `read_nowait`; -1 if only `read` will do.

        Who reads often spares a coroutine by that, 0.4 µs.
        """
        return -1 if self._unread else self._descriptor

    def read_nowait(self) -> bytes | None:
        """Return some bytes, `b""` at the end, `None` if there are none yet; raises as `read`."""
        if not self.direct:
            raise trio.ClosedResourceError
        try:
            data = os.read(self._descriptor, READ_SIZE)
        except (BlockingIOError, InterruptedError):
            return None
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error
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
        """Make a pending `read` raise `ClosedResourceError`; the next one works again."""
        if self.direct:
            trio.lowlevel.notify_closing(self._descriptor)

    def write_nowait(self, data: bytes) -> int:
        """Hand bytes to the kernel and return how many it took, perhaps none; needs `direct`.

        A broken connection takes everything: whoever reads from it learns of the end.
        """
        try:
            sent = os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            return 0
        except OSError:
            self.broken = True
            return len(data)
        self._counters.bytes_out += sent
        return sent

    async def begin_write(self, data: bytes) -> bytes:
        """Send what leaves at once, without Trio's detours; return the rest, for `send_all`.

        Raises:
            trio.BrokenResourceError: the connection broke.
        """
        if not self.direct:
            return data
        await trio.lowlevel.checkpoint_if_cancelled()
        try:
            sent = os.write(self._descriptor, data)
        except (BlockingIOError, InterruptedError):
            return data
        except OSError as error:
            raise trio.BrokenResourceError(str(error)) from error
        self._counters.bytes_out += sent
        return data[sent:]

    async def write(self, data: bytes) -> None:
        """Send everything; raises `BrokenResourceError`."""
        rest = await self.begin_write(data)
        if rest:
            await self.send_all(rest)

    async def send_all(self, data: bytes | memoryview) -> None:
        """Send everything; as `trio.abc.SendStream.send_all`."""
        await self.stream.send_all(data)
        self._counters.bytes_out += len(data)

    async def send_eof(self) -> None:
        """Close the sending half where the stream can (TLS cannot)."""
        if isinstance(self.stream, trio.abc.HalfCloseableStream):
            await self.stream.send_eof()

    async def aclose(self) -> None:
        """Close at once, without the goodbyes of the layers below."""
        # The descriptor may be given to another connection from here on.
        self.direct = False
        self._descriptor = -1
        await trio.aclose_forcefully(self.stream)
