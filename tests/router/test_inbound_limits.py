"""What one client may send: which messages are looked at, and what is too much."""

from typing import Any, cast

import pytest
import trio
from trio.testing import wait_all_tasks_blocked

from trio_sio import DisconnectReason, RemoteProtocolError, Session
from trio_sio.disconnect import Explanation
from trio_sio.engine.runtime.timers import Timers
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import ServerOptions
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.parser import BoundedDecoder
from trio_sio.router.inbound_limits import InboundLimits

OPTIONS = ServerOptions(
    handshake_packets=3,
    max_namespaces=5,
    max_pending_namespaces=2,
    max_packet_bytes=200,
    attachments_timeout=10.0,
    max_rooms=10,
    max_pending_acks=10,
)
HEAD = '51-["data",{"_placeholder":true,"num":0}]'


class OneSession:
    """As much of a session as the limits ask for."""

    id = "sid"

    def __init__(self) -> None:
        self.why: Explanation | None = None
        self.reason: DisconnectReason | None = None
        self.timers = Timers()
        self.reached: list[str] = []

    def count_limit(self, option: str) -> None:
        """Note it."""
        self.reached.append(option)

    def explain(self, why: Explanation) -> None:
        """Note it."""
        self.why = why

    def close(self, reason: DisconnectReason) -> None:
        """Note it."""
        self.reason = reason


class Client:
    """Limits with what is around it."""

    def __init__(
        self, *joined: str, options: ServerOptions = OPTIONS, decoder: object = None
    ) -> None:
        self.session = OneSession()
        self.joined = list(joined)
        self.limits = InboundLimits(
            cast("Session", self.session), options, self.joined, LogThrottle()
        )
        self.decoder = cast("Any", decoder or Decoder())
        if joined:
            self.limits.stop_checking()

    def feed(self, message: str | bytes) -> bool:
        """Take a message as `Client.run` does; return whether it was looked at."""
        packet = self.decoder.feed(message)
        looked = packet is None or self.limits.is_checking
        if looked:
            bounded = isinstance(self.decoder, BoundedDecoder)
            self.limits.check(message, packet, self.decoder if bounded else None)
        return looked


def test_events_of_who_has_joined_are_not_looked_at() -> None:
    client = Client("/")
    assert not any(client.feed('2["a"]') for _ in range(10))


async def test_attachments_are_looked_at_until_they_are_whole() -> None:
    client = Client("/")
    assert client.feed(HEAD)
    assert client.feed(b"x")
    assert not client.feed('2["a"]')
    client.limits.close()
    assert len(client.session.timers) == 0


def test_a_stranger_has_a_budget() -> None:
    client = Client()
    for _ in range(3):
        assert client.feed('2["a"]')
    with pytest.raises(RemoteProtocolError, match="handshake_packets is 3"):
        client.feed('2["a"]')
    assert client.session.why == Explanation(
        "4 messages before it has joined a namespace", "handshake_packets", 3, 4
    )


def test_there_may_be_no_budget() -> None:
    client = Client(options=OPTIONS.changed({"handshake_packets": None}))
    assert not any(client.feed('2["a"]') for _ in range(10))


async def test_joining_in_the_middle_of_a_packet_keeps_it_looked_at() -> None:
    client = Client("/", options=OPTIONS.changed({"handshake_packets": 5}))
    client.feed(HEAD)
    client.limits.stop_checking()
    assert client.limits.is_checking
    client.feed(b"x")
    assert not client.limits.is_checking


@pytest.mark.parametrize("size", [200 - len(HEAD), 201 - len(HEAD)])
async def test_bytes_of_a_packet(size: int) -> None:
    """What makes a packet whole was in memory anyway; what has to wait for more counts."""
    client = Client("/")
    client.feed(HEAD.replace("51-", "52-"))
    if size + len(HEAD) > 200:
        with pytest.raises(RemoteProtocolError, match="max_packet_bytes is 200"):
            client.feed(b"x" * size)
    else:
        client.feed(b"x" * size)


async def test_what_nobody_waits_for_is_not_kept() -> None:
    client = Client("/")
    client.feed(HEAD.replace("51-", "53-/other,"))
    client.feed(b"x" * 500)
    client.feed(b"x" * 500)
    assert sum(map(len, client.decoder._buffers)) == 0
    client.feed(b"x" * 500)
    assert not client.feed('2["a"]')


async def test_a_half_packet_has_some_time(autojump_clock: trio.abc.Clock) -> None:
    client = Client("/")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.session.timers.run)
        client.feed(HEAD)
        await trio.sleep(6)
        client.feed(b"x")
        client.feed(HEAD)  # its time begins now
        await trio.sleep(9.9)
        assert client.session.reason is None
        await trio.sleep(0.2)
        assert client.session.reason is DisconnectReason.FORCED_CLOSE
        assert client.session.why is not None
        assert client.session.why.option == "attachments_timeout"
        nursery.cancel_scope.cancel()


async def test_a_whole_packet_is_not_late(autojump_clock: trio.abc.Clock) -> None:
    client = Client("/")
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.session.timers.run)
        client.feed(HEAD)
        client.feed(b"x")
        await trio.sleep(30)
        assert client.session.reason is None
        nursery.cancel_scope.cancel()


class Silent:
    """A parser of somebody's own, which does not say what it waits for."""

    def feed(self, message: str | bytes) -> None:
        """Return nothing."""


def test_a_parser_of_ones_own_bounds_itself() -> None:
    client = Client("/", decoder=Silent())
    assert client.feed("x" * 1000)
    assert client.session.why is None


@pytest.mark.parametrize(
    ("joined", "pending", "limit"),
    [(1, 1, ""), (1, 2, "max_pending_namespaces is 2"), (4, 1, "max_namespaces is 5"), (3, 1, "")],
)
async def test_namespaces(joined: int, pending: int, limit: str) -> None:
    client = Client(*map(str, range(joined)))
    refusal = client.limits.refuse_join(pending)
    assert refusal == (f"too many namespaces ({limit})" if limit else "")
    assert client.session.reached == limit.split()[:1]


@pytest.mark.parametrize("end", ["attachment", "end"])
async def test_one_can_wait_until_a_packet_is_whole(end: str) -> None:
    client = Client("/")
    assert not client.limits.is_incomplete
    client.feed(HEAD)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(client.limits.wait_complete)
        nursery.start_soon(client.limits.wait_complete)
        await wait_all_tasks_blocked()
        assert client.limits.is_incomplete
        assert len(nursery.child_tasks) == 2
        if end == "attachment":
            client.feed(b"x")
            assert not client.limits.is_incomplete
        else:
            client.limits.close()
