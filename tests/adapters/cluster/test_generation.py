"""Which servers in JavaScript share the cluster."""

import pytest

from trio_sio.adapters.cluster.generation import Generation


def test_they_are_those_of_socket_io() -> None:
    assert [int(one) for one in Generation] == [2, 4]
    assert Generation(4) is Generation.OF_4
    with pytest.raises(ValueError, match="3 is not a valid Generation"):
        Generation(3)
