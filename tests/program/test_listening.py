"""Where programs cannot listen, in a sentence."""

import pytest

import trio_sio


@pytest.mark.parametrize("host", ["a..b", "no-such-host.invalid"])
def test_a_host_that_is_none_is_one_sentence(host: str) -> None:
    with pytest.raises(SystemExit, match=f"cannot listen on {host}, port 0: "):
        trio_sio.run(trio_sio.Server(), 0, host)
