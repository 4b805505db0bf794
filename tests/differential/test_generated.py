"""Clients that do anything hear the same of socket.io and of trio_sio.

Those of protocol 4 are compared with socket.io 2.5.1, those of protocol 5 with socket.io 4.8.4.

`DIFFERENTIAL_SEED=7 python3 -m pytest tests/differential --long` plays other scripts.
"""

import os
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from tests.support.comparison import Pair, servers
from trio_sio.testing import strategies as sio
from trio_sio.testing.scripts import Script

SEED = int(os.environ.get("DIFFERENTIAL_SEED", "1"))
FEW = 60
MANY = 3000


@pytest.fixture(scope="module", params=[4, 5], ids=["2.5.1", "4.8.4"])
def pair(request: pytest.FixtureRequest) -> Iterator[Pair]:
    with servers(request.param) as both:
        yield both


def search(pair: Pair, examples: int) -> None:
    @seed(SEED)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(sio.scripts(protocol=pair.protocol))
    def attempt(script: Script) -> None:
        disagreement = pair.compare(script).disagreement
        assert disagreement is None, f"{disagreement}\nin {script}"

    attempt()


@pytest.mark.node
@pytest.mark.slow
def test_clients_hear_the_same(pair: Pair) -> None:
    search(pair, FEW)


@pytest.mark.node
@pytest.mark.long
def test_clients_hear_the_same_in_many_scripts(pair: Pair) -> None:
    search(pair, MANY)
