"""URLs of servers, and connections to them."""

import ssl

import pytest
import trio
import trustme

import trio_sio
from tests.support.conformance import http, scripted
from tests.support.peers import served
from trio_sio.conformance.target import Target


@pytest.mark.parametrize(
    ("url", "host", "port", "path"),
    [
        ("http://localhost", "localhost", 80, "/socket.io"),
        ("http://localhost:3000/", "localhost", 3000, "/socket.io"),
        ("https://example.com/a/socket.io/", "example.com", 443, "/a/socket.io"),
        ("http://[::1]:3000", "::1", 3000, "/socket.io"),
    ],
)
def test_urls(url: str, host: str, port: int, path: str) -> None:
    target = Target.parse(url)
    assert (target.host, target.port, target.path) == (host, port, path)
    assert (target.tls is not None) == url.startswith("https")
    again = Target.parse(target.url)
    assert (again.url, again.host, again.port) == (target.url, host, port)


@pytest.mark.parametrize(
    "url",
    [
        *("localhost:3000", "ftp://localhost", "http://", "http://localhost:99999"),
        *("http://localhost/?a=1", "http://localhost/#a", "http://[::1", ""),
    ],
)
def test_what_is_no_url_of_a_server(url: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        Target.parse(url)


def test_request_targets() -> None:
    target = Target("localhost", 3000, "/x")
    assert target.request_target() == "/x/?EIO=3"
    assert target.request_target("polling", "b64=1", "7") == (
        "/x/?EIO=3&transport=polling&b64=1&sid=7"
    )


def test_what_is_sent_in_each_protocol() -> None:
    old, new = Target.parse("http://a"), Target.parse("http://a", protocol=5)
    assert (old.eio, new.eio) == (3, 4)
    assert new.request_target("polling") == "/socket.io/?EIO=4&transport=polling"
    assert (old.payload("4a", "2"), new.payload("4a", "2")) == (b"2:4a1:2", b"4a\x1e2")
    assert (old.binary(b"x"), new.binary(b"x")) == (b"\x04x", b"x")


def test_the_host_of_an_ipv6_address_has_brackets() -> None:
    assert Target("::1", 3000).authority == "[::1]:3000"


async def test_a_request_has_a_connection_of_its_own() -> None:
    async with scripted(http("one"), http("two", status=400)) as target:
        assert (await target.request("GET", "/")).text == "one"
        assert (await target.request("GET", "/")).status == 400


async def test_nobody_listens() -> None:
    async with scripted() as target:
        pass
    with pytest.raises(OSError, match=r"\S"):
        await target.connect()


async def test_certificates_are_checked_unless_told_otherwise() -> None:
    authority = trustme.CA()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    async with served(trio_sio.Server(), ssl_context=context) as url:
        with pytest.raises(OSError, match=r"TLS with 127\.0\.0\.1 failed"):
            await Target.parse(url).connect()
        target = Target.parse(url, verify=False)
        response = await target.request("GET", target.request_target("polling"))
        assert response.status == 200


async def test_a_server_that_never_shakes_hands() -> None:
    async with scripted() as silent:
        url = f"https://127.0.0.1:{silent.port}"
        with pytest.raises(trio.TooSlowError):
            await Target.parse(url, patience=0.1).connect()
