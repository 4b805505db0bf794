"""Which proxies are believed, and who their clients are."""

import pytest

from trio_sio.engine.proxies import ProxyTrust
from trio_sio.http import Headers, Request
from trio_sio.logs.throttle import LogThrottle
from trio_sio.options import EngineOptions

REQUEST = Request(
    "GET", "/engine.io/", Headers([("X-Forwarded-For", "203.0.113.9")]), "10.0.0.1", True
)


def test_nobody_is_trusted_by_default(caplog: pytest.LogCaptureFixture) -> None:
    trust = ProxyTrust(EngineOptions(), LogThrottle())
    assert not trust.is_needed
    assert not trust.trusts("127.0.0.1")
    assert not trust.trusts("")


@pytest.mark.parametrize("trusted", [1, "all", "10.0.0.0/8", ["unix", "10.0.0.1"]])
def test_who_is_trusted_speaks_for_others(trusted: int | str | list[str]) -> None:
    trust = ProxyTrust(EngineOptions(trusted_proxies=trusted), LogThrottle())
    assert trust.is_needed
    assert trust.trusts("10.0.0.1")
    resolved = trust.resolve(REQUEST)
    assert (resolved.remote, resolved.secure) == ("203.0.113.9", True)
    assert resolved.headers is REQUEST.headers
    assert resolved.remote_port == 0  # the field names none
    plain = trust.resolve(Request("GET", "/", remote="10.0.0.1", remote_port=7))
    assert (plain.remote, plain.remote_port) == ("10.0.0.1", 7)
