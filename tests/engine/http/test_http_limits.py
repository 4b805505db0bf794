"""The limits of a connection that nobody has told otherwise."""

from trio_sio import EngineOptions
from trio_sio.engine.http.timeouts import NO_LIMITS


def test_the_defaults_are_those_of_the_options() -> None:
    defaults = EngineOptions()
    assert NO_LIMITS.max_headers == defaults.max_headers
    assert NO_LIMITS.max_header_size == defaults.max_header_size
    assert not NO_LIMITS.seconds
    NO_LIMITS.count_limit("max_headers")  # nobody is told
