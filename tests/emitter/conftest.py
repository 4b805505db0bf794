"""JavaScript's emitter."""

from collections.abc import Iterator

import pytest

from tests.protocol.oracle import Oracle


@pytest.fixture(scope="session")
def oracle() -> Iterator[Oracle]:
    """One Node.js for all tests; those that use it carry the marker `node`."""
    with Oracle() as started:
        yield started
