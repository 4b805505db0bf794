"""What a network does to a client; see `trio_sio.testing.open_network`."""

from hypothesis import strategies as st

from trio_sio.testing.network.faults import DIRECTIONS, ENDINGS, Cut, Faults, Freeze

_LONGEST_DELAYS = (0.0, 0.01, 0.2, 1.0)
_RATES = (None, 10_000.0, 1000.0)
_BUFFERS = (65_536, 1024, 16)


@st.composite
def faults(draw: st.DrawFn, *, breaks: bool = True) -> Faults:
    """Faults of a network; the simplest are none.

    Args:
        draw: given by Hypothesis.
        breaks: whether some connections break or become half-open; without it, all that is sent
            arrives at last.
    """
    longest = draw(st.sampled_from(_LONGEST_DELAYS))
    shortest = draw(st.sampled_from((0.0, longest)))
    chunk = draw(st.sampled_from((None, 1, 2, 7, 100)))
    rate, buffer = draw(st.sampled_from(_RATES)), draw(st.sampled_from(_BUFFERS))
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
