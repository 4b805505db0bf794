"""What a network does to a client; see `trio_sio.testing.open_network`."""

from hypothesis import strategies as st

from trio_sio.testing.network.faults import DIRECTIONS, ENDINGS, Cut, Faults, Freeze

_LONGEST_DELAYS = (0.0, 0.01, 0.2, 1.0)
_RATES = (None, 10_000.0, 1000.0)
_BUFFERS = (65_536, 1024, 16)
_SLOWEST = 1000.0
"""Bytes per second that pass at least where nothing breaks.

A direction that holds 16 bytes for a second, for example, passes 16 in a second: the head of a
request takes longer than a PING may.
"""


@st.composite
def faults(draw: st.DrawFn, *, breaks: bool = True) -> Faults:
    """Faults of a network; the simplest are none.

    Args:
        draw: given by Hypothesis.
        breaks: whether some connections break, become half-open, or are too slow for the heartbeat.
            Without it all that is sent arrives, by 1000 bytes a second or more, so that sessions
            last if messages are small, or the server's `ping_timeout` is long.
    """
    longest = draw(st.sampled_from(_LONGEST_DELAYS))
    shortest = draw(st.sampled_from((0.0, longest)))
    chunk = draw(st.sampled_from((None, 1, 2, 7, 100)))
    rate = draw(st.sampled_from(_RATES))
    buffers = [one for one in _BUFFERS if breaks or one >= longest * _SLOWEST]
    buffer = draw(st.sampled_from(buffers))
    cut = draw(st.one_of(st.none(), _cuts())) if breaks else None
    freeze = draw(st.one_of(st.none(), _freezes())) if breaks else None
    return Faults((shortest, longest), chunk, rate, buffer, cut, freeze)


def _places() -> st.SearchStrategy[int]:
    """Bytes behind which something happens: inside the handshake, or later."""
    return st.one_of(st.integers(0, 300), st.integers(0, 3000))


def _cuts() -> st.SearchStrategy[Cut]:
    return st.builds(Cut, _places(), st.sampled_from(DIRECTIONS), st.sampled_from(ENDINGS))


def _freezes() -> st.SearchStrategy[Freeze]:
    directions = st.sampled_from(DIRECTIONS)
    by_bytes = st.builds(Freeze, _places(), directions)
    by_time = st.builds(lambda seconds: Freeze(seconds=seconds), st.floats(0, 60))
    return st.one_of(by_bytes, by_time)
