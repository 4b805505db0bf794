"""URLs: what they say, and that errors do not show what they hide."""

import ssl
from pathlib import Path

import pytest
import trustme

from trio_sio.adapters.redis.link.address import Address, Credentials, Endpoint


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("redis://localhost:6379", Address((Endpoint("localhost", 6379),))),
        ("redis://", Address((Endpoint("localhost", 6379),))),
        ("REDIS://h", Address((Endpoint("h", 6379),))),
        ("redis://h:7000/3", Address((Endpoint("h", 7000),))),
        ("redis://[::1]:7000", Address((Endpoint("::1", 7000),))),
        ("redis://[::1]", Address((Endpoint("::1", 6379),))),
        (
            "redis://u:p%40%3A%2F@h",
            Address((Endpoint("h", 6379),), credentials=Credentials("u", "p@:/")),
        ),
        ("redis://:p@h", Address((Endpoint("h", 6379),), credentials=Credentials("default", "p"))),
        ("rediss://h", Address((Endpoint("h", 6379),), tls=True)),
        (
            "rediss://h?ssl_cert_reqs=none",
            Address((Endpoint("h", 6379),), tls=True, tls_fields={"ssl_cert_reqs": "none"}),
        ),
        ("unix:///run/a%20b.sock", Address((Endpoint("", 0, "/run/a b.sock"),))),
        (
            "unix://:p@/run/redis.sock",
            Address((Endpoint("", 0, "/run/redis.sock"),), credentials=Credentials("default", "p")),
        ),
        (
            "redis+sentinel://u:p@a,b:7000/mymaster/0?sentinel_password=q",
            Address(
                (Endpoint("a", 26379), Endpoint("b", 7000)),
                "mymaster",
                Credentials("u", "p"),
                Credentials("default", "q"),
            ),
        ),
        ("rediss+sentinel://a/my%20one", Address((Endpoint("a", 26379),), "my one", tls=True)),
    ],
)
def test_a_url_is_read(url: str, address: Address) -> None:
    assert Address.of(url) == address


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("", "must begin with one of redis://"),
        ("localhost:6379", "must begin with one of redis://"),
        ("redis:localhost", "must begin with one of redis://"),
        ("http://h", "must begin with one of redis://"),
        ("redis://:hidden@h:0", "a port from 1 to 65535"),
        ("redis://:hidden@h:x", "a port from 1 to 65535"),
        ("redis://:hidden@h:65536", "a port from 1 to 65535"),
        ("redis://:hidden@:6379", "must have a host"),
        ("redis://:hidden@h/a", "the number of a database"),
        ("redis://:hidden@h?hidden=1", "an unknown field 'hidden'"),
        ("redis://:hidden@h?ssl_keyfile=a", "ssl_keyfile, which needs rediss://"),
        ("redis://:hidden@h?sentinel_password=a", "an unknown field 'sentinel_password'"),
        ("rediss://:hidden@h?ssl_cert_reqs=perhaps", "'required' or 'none'"),
        ("rediss://:hidden@h?ssl_cert_reqs", "is not a URL"),
        ("redis://hidden@h", "a user without a password"),
        ("redis://:hid#den@h", "has a '#'"),
        ("redis://:hidden@[::1", "is not a URL"),
        ("redis://:hidden@[::1]x", "is not a URL|without its brackets"),
        ("unix://", "the absolute path of a socket"),
        ("unix://run/redis.sock", "the absolute path of a socket"),
        ("redis+sentinel://:hidden@a,b", "the name of the service"),
        ("redis+sentinel://:hidden@a,,b/m", "must have a host"),
        ("redis+sentinel://a/m?sentinel_username=hidden", "without sentinel_password"),
    ],
)
def test_what_is_wrong_is_said_without_secrets(url: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem) as caught:
        Address.of(url)
    assert "option 'url'" in str(caught.value)
    if "?hidden" not in url:
        assert "hid" not in str(caught.value)


def test_a_url_is_text() -> None:
    with pytest.raises(TypeError, match="option 'url' must be a str, not bytes"):
        Address.of(b"redis://h")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:hidden@h:1/3", "redis://h:1"),
        ("rediss://:hidden@[::1]", "rediss://[::1]:6379"),
        ("unix://:hidden@/run/redis.sock", "unix:///run/redis.sock"),
        (
            "redis+sentinel://:hidden@a,b:1/m?sentinel_password=hidden",
            "redis+sentinel://a:26379,b:1/m",
        ),
    ],
)
def test_what_is_shown_has_no_secrets(url: str, shown: str) -> None:
    address = Address.of(url)
    assert str(address) == shown
    assert "hidden" not in repr(address)


def test_without_tls_there_is_no_context() -> None:
    assert Address.of("redis://h").ssl_context() is None


def test_tls_is_strict_unless_the_url_says_otherwise(tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    context = Address.of(f"rediss://h?ssl_ca_certs={tmp_path}/ca.pem").ssl_context()
    assert context is not None
    assert context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert [one["subject"] for one in context.get_ca_certs()]
    context = Address.of("rediss://h?ssl_check_hostname=false").ssl_context()
    assert context is not None
    assert not context.check_hostname
    assert context.verify_mode is ssl.CERT_REQUIRED
    context = Address.of("rediss://h?ssl_cert_reqs=none").ssl_context()
    assert context is not None
    assert context.verify_mode is ssl.CERT_NONE


@pytest.mark.parametrize("field", ["ssl_ca_certs", "ssl_certfile"])
def test_a_file_that_cannot_be_read_is_an_error_at_once(field: str) -> None:
    address = Address.of(f"rediss://:hidden@h?{field}=/nowhere/a.pem")
    with pytest.raises(ValueError, match="option 'url': its certificates cannot be read") as caught:
        address.ssl_context()
    assert "hidden" not in str(caught.value)
