"""A client that asks for answers and reads none: what is kept for it, and who waits for it.

It sends as fast as the server takes it. So the server must stop reading it: what is kept is the
outbox, the inbox, and the answer that waits between the two.
"""

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tools.load.clients import Client, Crowd, frame_size, masked
from tools.load.process import GIVING_BACK, Peer, Server, own_server, running
from trio_sio import ServerOptions

pytestmark = [pytest.mark.slow, pytest.mark.alone]


PAYLOAD = 32 * 1024
"""Bytes of a question and of its answer: the outbox is full of bytes before it is of packets."""

RATE = 50.0
"""Questions that the neighbour asks in a second."""

OURS = Peer("trio_sio", GIVING_BACK + own_server("websockets"), 3)
OPTIONS = ServerOptions()
KEPT = OPTIONS.max_outbox_bytes + OPTIONS.max_inbox * PAYLOAD


@dataclass
class Seen:
    """What was seen while one client read nothing.

    Attributes:
        rise: bytes that the server had more than before, at most.
        taken: bytes that the server took of the client.
        delays: seconds that the neighbour waited for each of its answers.
    """

    rise: int
    taken: int
    delays: list[float]

    def percentile(self, part: float) -> float:
        """Return the delay, in seconds, that so many of all did not exceed."""
        return sorted(self.delays)[int(part * (len(self.delays) - 1))]


def measure(seconds: float) -> Seen:
    """Let one client ask and never read, for so long, while another one is served."""
    with running(OURS) as server:
        neighbour = Crowd(server.port, 3, 1)
        silent = Client(server.port, 3, receive_buffer=4096)
        silent.join()
        echo, expected = masked('42["echo","x"]'), frame_size(len('42["echo","x"]'))
        neighbour.pace(RATE, 1.0, echo, expected)  # a warm-up
        server.settle()
        before = server.resident_bytes()
        with _asking(silent) as taken, _highest(server) as highest:
            delays = neighbour.pace(RATE, seconds, echo, expected)
        neighbour.close()
        silent.socket.close()
        return Seen(max(highest) - before, sum(taken), delays)


@contextlib.contextmanager
def _asking(client: Client) -> Iterator[list[int]]:
    """Have a client ask as fast as the server takes it; yields the sizes that it has sent."""
    question = memoryview(masked(f'420["ask","{"x" * PAYLOAD}"]'))
    client.socket.settimeout(0.1)
    taken: list[int] = []
    is_over = threading.Event()

    def ask() -> None:
        rest = question
        while not is_over.is_set():
            with contextlib.suppress(TimeoutError):
                sent = client.socket.send(rest)
                taken.append(sent)
                rest = rest[sent:] or question

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield taken
    finally:
        is_over.set()
        thread.join()


@contextlib.contextmanager
def _highest(server: Server) -> Iterator[list[int]]:
    """Look at the server's memory ten times a second."""
    sizes = [server.resident_bytes()]
    is_over = threading.Event()

    def look() -> None:
        while not is_over.wait(0.1):
            sizes.append(server.resident_bytes())

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield sizes
    finally:
        is_over.set()
        thread.join()


def look_at(seen: Seen) -> None:
    """The server has taken what its limits say and a tenth more, and then nothing."""
    assert seen.rise < 1.1 * KEPT
    # The sockets of both ends keep something, too.
    assert OPTIONS.max_outbox_bytes < seen.taken < KEPT + 24 * 2**20


def test_what_is_kept_for_it() -> None:
    seen = measure(4.0)
    look_at(seen)
    assert len(seen.delays) == 4 * RATE


@pytest.mark.long
def test_a_minute_of_it() -> None:
    seen = measure(60.0)
    look_at(seen)
    assert len(seen.delays) == 60 * RATE
    assert seen.percentile(0.99) < 0.05


def test_percentiles() -> None:
    seen = Seen(0, 0, [float(number) for number in range(101)])
    assert (seen.percentile(0.5), seen.percentile(0.99), seen.percentile(1)) == (50, 99, 100)
