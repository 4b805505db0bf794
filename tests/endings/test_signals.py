"""A process that serves ends by a signal, with clients in every state that they can reach alone."""

import signal

import pytest
import trio

from tests.endings import client_states
from tests.support.demo_process import complaints, demo
from tests.support.peers import DEADLINE
from tests.support.stage import Guest, Stage, open_tcp

ENTER = (
    client_states.connected_and_silent,
    client_states.mid_request_head,
    client_states.mid_websocket_handshake,
    client_states.between_polls,
    client_states.polling,
    client_states.mid_upload,
    client_states.upgrading,
    client_states.joined,
    client_states.mid_fragmented_message,
    client_states.half_binary_packet,
)
"""Those for which nothing has to be done at the server."""


@pytest.mark.parametrize(
    ("ws_engine", "ends", "status"),
    [
        ("websockets", [signal.SIGTERM], 0),
        ("trio-websocket", [signal.SIGTERM], 0),
        ("websockets", [signal.SIGTERM, signal.SIGINT], 130),
        ("websockets", [signal.SIGINT], 0),
    ],
)
async def test_it_ends_without_a_word(
    ws_engine: str, ends: list[signal.Signals], status: int
) -> None:
    """A second signal does not wait for goodbyes."""
    async with demo("--ws-engine", ws_engine) as (process, url):
        port = int(url.rpartition(":")[2])
        guests: list[Guest] = []
        try:
            with trio.fail_after(DEADLINE):
                for enter in ENTER:
                    guests.append(Guest(lambda: open_tcp(port)))
                    await enter(Stage(), guests[-1])
                # Stopped meanwhile, so that it cannot have ended when the second one comes.
                for number in (signal.SIGSTOP, *ends, signal.SIGCONT):
                    process.send_signal(number)
                assert await process.wait() == status
        finally:
            for guest in guests:
                await guest.cut()
        assert await complaints(process) == []
