"""Over TLS a close is a conversation: nobody who does not answer it holds a server or a descriptor.

A client may stop in the middle of the TLS handshake as well, where the server has no request yet.
"""

import logging
import ssl
from collections.abc import Awaitable, Callable
from functools import partial

import pytest
import trio
import trustme
from trio.testing import MockClock

from tests.endings import client_states
from tests.endings.test_kills import pass_time
from tests.support.stage import (
    GRACE,
    PING,
    Guest,
    Listener,
    Open,
    Stage,
    by_tcp,
    in_lockstep,
    serving,
    until,
)
from trio_sio.engine.engine import GOODBYE

AT_ONCE = 0.1
FAR = 1000.0
NAME = "wire.test"

Streams = Callable[[], Awaitable[tuple[Listener, Open]]]
Enter = Callable[[Stage, Guest], Awaitable[object]]


@pytest.fixture(autouse=True)
def no_records(caplog: pytest.LogCaptureFixture) -> None:
    """A record that pytest keeps holds its socket."""
    caplog.set_level(logging.CRITICAL, "trio_sio")


@pytest.fixture(scope="module")
def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's and the client's."""
    authority = trustme.CA()
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert(NAME).configure_cert(server)
    client = ssl.create_default_context()
    authority.configure_trust(client)
    return server, client


def over_tls(streams: Streams, contexts: tuple[ssl.SSLContext, ssl.SSLContext]) -> Streams:
    """TLS on connections of another kind."""
    server, client = contexts

    async def open_tls(open_stream: Open) -> trio.abc.Stream:
        stream = await open_stream()
        return trio.SSLStream(stream, client, server_hostname=NAME, https_compatible=True)

    async def listen() -> tuple[Listener, Open]:
        below, open_stream = await streams()
        # Strict, so that a close which is not by force waits for the client's.
        listener = trio.SSLListener(below, server)
        return listener, partial(open_tls, open_stream)

    return listen


async def before_the_handshake(_: Stage, guest: Guest) -> None:
    await guest.connect()


async def mid_handshake(_: Stage, guest: Guest) -> None:
    """Half of the client's first record."""
    stream = (await guest.connect()).stream
    assert isinstance(stream, trio.SSLStream)
    await stream.transport_stream.send_all(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")


ENTER = (
    before_the_handshake,
    mid_handshake,
    client_states.mid_request_head,
    client_states.polling,
    client_states.mid_upload,
    client_states.poll_answer_not_taken,
    client_states.upgrading,
    client_states.joined,
    client_states.not_reading,
    client_states.mid_fragmented_message,
    client_states.closing,
    client_states.in_event_handler,
)
ARRIVED: dict[Enter, Callable[[Stage], int]] = {
    one.enter: one.count for one in client_states.STATES
}
every_state = pytest.mark.parametrize("enter", ENTER, ids=lambda enter: enter.__name__)


async def arrive(enter: Enter, stage: Stage, guests: list[Guest]) -> None:
    """Bring guests into a state, and look whether they are there."""
    for guest in guests:
        await enter(stage, guest)
    count = ARRIVED.get(enter, _connections)
    await until(lambda: count(stage) == len(guests), lambda: f"{count(stage)} are there")


async def cut(guest: Guest) -> None:
    """Reset what is below TLS, without its goodbye."""
    for connection in guest.connections:
        assert isinstance(connection.stream, trio.SSLStream)
        connection.stream = connection.stream.transport_stream
    await guest.cut()


@every_state
@pytest.mark.parametrize("streams", [by_tcp, in_lockstep])
@pytest.mark.parametrize("how", ["cancel", "leave"])
async def test_a_server_ends_whatever_is_said_over_tls(
    enter: Enter,
    streams: Streams,
    how: str,
    contexts: tuple[ssl.SSLContext, ssl.SSLContext],
    mock_clock: MockClock,
) -> None:
    stage, over, leave = Stage(), trio.Event(), trio.Event()
    listener, open_stream = await over_tls(streams, contexts)()
    async with trio.open_nursery() as nursery:

        async def serve(task_status: trio.TaskStatus[trio.CancelScope]) -> None:
            with trio.CancelScope() as scope:
                async with stage.io, trio.open_nursery() as inner:
                    await inner.start(stage.io.serve_listeners, [listener])
                    task_status.started(scope)
                    await leave.wait()
                    inner.cancel_scope.cancel()
            over.set()

        scope = await nursery.start(serve)
        guest = Guest(open_stream)
        await arrive(enter, stage, [guest])
        limit = AT_ONCE if how == "cancel" else GOODBYE + (GRACE if stage.halted else 0)
        begun = trio.current_time()
        if how == "cancel":
            scope.cancel()
        else:
            leave.set()
        mock_clock.autojump_threshold = 0
        try:
            with trio.fail_after(FAR):
                await over.wait()
        finally:  # which ends what a shield holds
            await cut(guest)
        assert trio.current_time() - begun <= limit
    statistics = stage.io.statistics()
    assert (stage.halted, statistics.connections, statistics.sessions) == (0, 0, 0)


@every_state
async def test_nothing_is_left_of_clients_cut_off_below_tls(
    enter: Enter, contexts: tuple[ssl.SSLContext, ssl.SSLContext], mock_clock: MockClock
) -> None:
    stage = Stage()
    async with serving(stage, over_tls(by_tcp, contexts)) as open_stream:
        remains = []
        for _ in range(2):
            guests = [Guest(open_stream) for _ in range(3)]
            await arrive(enter, stage, guests)
            for guest in guests:
                await cut(guest)
            guests.clear()
            del guest
            await pass_time(mock_clock, PING)
            await until(lambda: _is_empty(stage), lambda: stage.remains())
            remains.append(stage.remains())
    assert remains[1].beyond(remains[0]) == ""


def _connections(stage: Stage) -> int:
    return stage.io.statistics().connections


def _is_empty(stage: Stage) -> bool:
    statistics = stage.io.statistics()
    return not (statistics.connections or statistics.sessions or stage.halted)
