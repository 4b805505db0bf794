"""Who may look under the hood, by what their request says."""

import json

import pytest

from tests.support import modern
from trio_sio import ConnectionRefused, Headers, Request
from trio_sio.demo.application import Demo
from trio_sio.demo.hall import Hall
from trio_sio.demo.hood.access import Access, is_loopback
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.limits import Limits
from trio_sio.testing import connect, open_wire

LOCAL = Access("token", is_local=True)
HOST = "127.0.0.1:3000"


def request(target: str = "/socket.io/?EIO=3&transport=polling", **fields: str) -> Request:
    headers = {"host": HOST, **{name.replace("_", "-"): value for name, value in fields.items()}}
    return Request("GET", target, Headers(headers.items()), remote="127.0.0.1")


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"origin": f"http://{HOST}"},
        {"sec_fetch_site": "same-origin"},
        {"sec_fetch_site": "none"},
        {"host": "localhost", "origin": "http://localhost"},
        {"host": "LOCALHOST:3000", "origin": "http://localhost:3000"},
        {"host": "[::1]:3000", "origin": "http://[::1]:3000"},
        {"host": "127.8.8.8"},
    ],
)
def test_this_machines_own_pages_need_no_token(fields: dict[str, str]) -> None:
    assert list(LOCAL.problems(request(**fields))) == []


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        # A name of somebody else's, which leads here (DNS rebinding).
        *(
            ({"host": host}, "The page's address is not localhost")
            for host in (
                *("evil.example", "evil.example:3000", "localhost.evil.example", "10.0.0.7", ""),
                *("127.0.0.1.evil.example", "[::1", "127.0.0.1@evil.example", "[::ffff:10.0.0.1]"),
            )
        ),
        # A page of another site, by WebSocket or XHR.
        *(
            ({"origin": origin}, "The page is one of another site")
            for origin in (
                *("http://evil.example", "null", "http://localhost:3000", "http://127.0.0.1:8000"),
                *("http://127.0.0.1", "http://[", f"http://evil@{HOST}"),
            )
        ),
        ({"sec_fetch_site": "cross-site"}, "The request is one of another site"),
        ({"sec_fetch_site": "same-site"}, "The request is one of another site"),
        # A proxy on this machine, for strangers.
        *(
            ({name: "203.0.113.7"}, "Your request came through a proxy")
            for name in ("forwarded", "x_forwarded_for", "x_forwarded_proto", "via", "x_real_ip")
        ),
    ],
)
def test_what_may_be_somebody_elses(fields: dict[str, str], problem: str) -> None:
    (found,) = LOCAL.problems(request(**fields))
    assert found.startswith(problem)


@pytest.mark.parametrize("query", ["j=0", "j=", "EIO=3&j=1"])
def test_jsonp_does_not_say_whose_page_it_is(query: str) -> None:
    (found,) = LOCAL.problems(request(f"/socket.io/?{query}"))
    assert found.startswith("JSONP does not say")


def test_another_machine() -> None:
    other = Request("GET", "/", Headers([("host", HOST)]), remote="203.0.113.7")
    assert [*LOCAL.problems(other)] == ["You are on another machine than the server."]
    open_to_all = Access.of("0.0.0.0")
    assert [*open_to_all.problems(request())] == ["The server can be reached from other machines."]


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        *((host, True) for host in ("127.0.0.1", "127.9.9.9", "::1", "localhost")),
        *((host, False) for host in (None, "", "0.0.0.0", "::", "10.0.0.7", "example.com")),
    ],
)
def test_loopback(host: str | None, *, expected: bool) -> None:
    assert is_loopback(host) is expected
    assert Access.of(host).is_local is expected


def test_a_token_of_ones_own_or_a_random_one() -> None:
    assert Access.of("", "mine").token == "mine"
    first, second = Access.of("").token, Access.of("").token
    assert first != second
    assert len(first) >= 20


def make_demo(*, is_local: bool) -> Demo:
    return Demo(premises=Premises(Hall(Limits()), Access("secret", is_local=is_local)))


async def test_the_token_opens_it_from_anywhere() -> None:
    demo = make_demo(is_local=False)
    async with demo.io:
        async with connect(demo.io, "/admin", query={"token": "secret"}) as page:
            assert (await page.receive())[0] == "hello"
        for token in ("wrong", "secre", "%ED%A0%80"):
            with pytest.raises(ConnectionRefused, match="This is not the token"):
                async with connect(demo.io, "/admin", query={"token": token}):
                    pass
        with pytest.raises(ConnectionRefused, match=r"other machines\. So the view needs the tok"):
            async with connect(demo.io, "/admin", headers={"Host": "localhost"}):
                pass


async def test_a_client_of_4_says_the_token_as_it_joins() -> None:
    io = make_demo(is_local=False).io
    async with io:
        for said in ("wrong", "\ud800", 7, True, ["secret"], {"secret": "secret"}):
            async with modern.client(io) as page:
                await page.send("40/admin," + json.dumps({"token": said}))
                assert "This is not the token" in str(await page.receive())
        async with modern.client(io) as page:
            await page.send("40/admin,")
            assert "So the view needs the token" in str(await page.receive())
            await page.send('40/admin,{"token":"secret"}')
            assert str(await page.receive()).startswith('40/admin,{"sid":')


async def test_nobody_may_see_it_unless_the_demo_is_told_so() -> None:
    demo = Demo()
    async with demo.io:
        with pytest.raises(ConnectionRefused, match="needs the token"):
            async with connect(demo.io, "/admin", headers={"Host": "localhost"}):
                pass


async def test_a_page_of_another_site_gets_no_session_that_may() -> None:
    """Over the wire: the handshake counts, whichever request joins the view later."""
    demo = make_demo(is_local=True)
    async with open_wire(demo.io) as wire:
        evil = {"Host": HOST, "Origin": "http://evil.example"}
        session = await wire.handshake(headers=evil)
        await session.post("40/admin,")
        packets = await session.poll()
        while not any(str(one).startswith("44/admin,") for one in packets):
            packets = await session.poll()
        await session.aclose()
