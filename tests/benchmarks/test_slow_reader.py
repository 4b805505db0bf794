"""A client that never reads: what the server keeps for it, while everybody else gets everything.

The clients are those of the benchmark: they count every byte, and one of them reads the messages.
"""

import pytest

from benchmarks.curve import Curve
from benchmarks.peers import SLOW_READER_PEERS
from benchmarks.slow_reader import MIB, OUTBOX, Load, measure, table
from tools.load.process import Peer
from trio_sio import EngineOptions

OURS = [peer for peer in SLOW_READER_PEERS if peer.name.startswith("trio_sio")]
ours = pytest.mark.parametrize("peer", OURS, ids=lambda peer: str(peer.name))


def look_at(curve: Curve, load: Load) -> None:
    """All has been sent; memory has risen by no more than the outbox and a tenth, and is back."""
    assert curve.sent[-1][0] == load.messages * load.payload / 1e6
    assert curve.rise < 1.1 * OUTBOX
    assert curve.rise > 0.5 * OUTBOX  # there was something to be kept
    assert curve.left < 0.1 * OUTBOX


def test_the_limit_is_the_default_one() -> None:
    assert EngineOptions().max_outbox_bytes == OUTBOX


@ours
def test_a_small_room(peer: Peer) -> None:
    load = Load(clients=50, messages=250)
    look_at(measure(peer, load, afterwards=2.0), load)


@pytest.mark.long
@ours
def test_a_room_of_1000_and_300_megabytes_for_each(peer: Peer) -> None:
    load = Load()
    assert (load.clients, load.messages * load.payload) == (1000, 300_000_000)
    look_at(measure(peer, load), load)


def test_what_the_run_says() -> None:
    curve = Curve("somebody", 5 * MIB, [(0.0, 0), (1.0, 3 * MIB)], [(0.0, 2 * MIB), (1.0, MIB)])
    assert table([curve]).endswith("| somebody | 3.0 | 1.0 | 0 |")
    assert Curve("nobody", 0).rise == 0
