"""Settings of the property tests, and the JavaScript parsers."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.protocol.oracle import Oracle

# A loaded machine is no error. What is set already, such as Hypothesis's own profile for CI,
# stays.
settings.register_profile("trio_sio", settings(), deadline=None)
settings.load_profile("trio_sio")


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """One Node.js for all tests; those that use it carry the marker `node`."""
    with Oracle() as started:
        yield started
