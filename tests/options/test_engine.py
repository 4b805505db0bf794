"""An engine's options: their defaults, and the two that depend on each other."""

import re

import pytest

from trio_sio import Engine, EngineOptions


def test_defaults_of_an_engine() -> None:
    engine = EngineOptions()
    assert (engine.path, engine.serve_client) == ("/engine.io", False)
    assert (engine.handshake_buffer_size, engine.connect_timeout) == (None, None)


def test_low_water_is_below_high_water() -> None:
    assert EngineOptions(high_water=0.1, low_water=0.05).low_water == 0.05
    with pytest.raises(ValueError, match=re.escape("'low_water' must be less than 'high_water'")):
        EngineOptions(high_water=0.25)


def test_options_can_change_until_serving_begins() -> None:
    engine = Engine(ping_timeout=1)
    engine.set_options(ping_interval=2)
    assert (engine.options.ping_interval, engine.options.ping_timeout) == (2, 1)
    with pytest.raises(ValueError, match="option 'ping_interval' must be more than 0"):
        engine.set_options(ping_interval=0)
    with pytest.raises(TypeError, match="unknown option 'pingtimeout'; did you mean"):
        engine.set_options(pingtimeout=5)  # type: ignore[call-arg]
    assert (engine.options.ping_interval, engine.options.ping_timeout) == (2, 1)
