"""Origins and preflights: what pages, and those who pretend to be some, make responses say."""

import re
import tracemalloc

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.security.neighbour import beside
from tests.support.examples import examples
from tests.support.servers import MakeServer
from trio_sio.testing.wire import WireClient
from trio_sio.testing.wire_http import WireResponse
from trio_sio.testing.wire_websocket import handshake_headers

CORS: list[dict[str, object]] = [
    {},
    {"cors": {"origin": True, "credentials": True}},
    {"cors": {"origin": re.compile(r"."), "credentials": True}},
    {"cors": {"origin": "https://good.example", "exposed_headers": ["x"]}},
    {"origins": lambda origin: True},
]
"""Options by which an origin may be told that it is welcome."""

PIECES = [
    *(b"https://evil.example", b"null", b"*", b" ", b"\t", b",", b";", b"\x00", b"\x0b", b"\x7f"),
    *(b"\xff", "\u20ac".encode(), b"\r", b"\n", b"\r\n", b"\r\nX-Evil: 1", b"\r\n X-Evil: 1"),
    *(b"\nX-Evil: 1", b"%0d%0aX-Evil: 1", b"\\r\\nX-Evil: 1", b"\r\n\r\nevil", b"A" * 9000),
]


@examples(50)
@given(
    options=st.sampled_from(CORS),
    parts=st.lists(st.sampled_from(PIECES), max_size=4),
    field=st.sampled_from(("Origin", "Access-Control-Request-Headers")),
    eio=st.sampled_from((3, 4)),
)
def test_what_a_page_says_of_itself_makes_no_line_of_its_own(
    options: dict[str, object], parts: list[bytes], field: str, eio: int
) -> None:
    """It comes back as it is, in one line; or it does not come back; or the request is refused."""
    value = b"".join(parts)
    trio.run(_say, options, field, value, eio, clock=MockClock(autojump_threshold=0))


async def _say(options: dict[str, object], field: str, value: bytes, eio: int) -> None:
    io = trio_sio.Server(raise_errors=True, **options)  # type: ignore[arg-type]
    async with beside(io) as wire:
        for method, transport, more in (
            ("GET", "polling", {}),
            ("OPTIONS", "polling", {"Access-Control-Request-Method": "POST"}),
            ("GET", "websocket", handshake_headers()),
            ("GET", "nothing", {}),
        ):
            lines = "".join(f"{name}: {text}\r\n" for name, text in more.items())
            head = f"{method} {wire.target(transport, eio=eio)} HTTP/1.1\r\nHost: a\r\n{lines}"
            data = head.encode() + field.encode() + b": " + value + b"\r\n\r\n"
            await _check(wire, data, field, value)


async def _check(wire: WireClient, data: bytes, field: str, value: bytes) -> None:
    """Send a request, and check the one response to it."""
    connection = wire.connect()
    await connection.send(data)
    response = await connection.receive_response()
    await connection.aclose()
    assert response.status in (101, 200, 204, 400, 403, 431)
    assert "x-evil" not in response.headers
    assert len(response.headers.get_all("access-control-allow-origin")) <= 1
    told = response.headers.get("access-control-allow-origin")
    first = value.partition(b"\r\n")[0].strip(b" \t").decode("latin-1")
    said = first if field == "Origin" else ""
    assert told in ("", "*", "https://good.example", said)
    _check_names(response)


def _check_names(response: WireResponse) -> None:
    for line in response.headers.get_all("access-control-allow-headers"):
        for name in line.split(","):
            assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name.strip()), line


async def test_a_flood_of_preflights_leaves_nothing(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Each asks for other fields, by the hundred; no session begins, and nothing of it is kept."""
    io = make_server()
    async with beside(io) as wire:
        connection = wire.connect()
        living = trio.lowlevel.current_statistics().tasks_living
        tracemalloc.start()
        try:
            for number in range(150):
                names = ", ".join(f"x-{number}-{one}" for one in range(300))
                fields = {
                    "Origin": f"https://{number}.example",
                    "Access-Control-Request-Method": "POST",
                    "Access-Control-Request-Headers": names,
                }
                target = wire.target("polling", f"x={number}", f"s{number}", eio=eio)
                response = await connection.request("OPTIONS", target, fields)
                assert response.status == (200 if eio == 3 else 204)
            kept, _ = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert kept < 500_000
        await wait_all_tasks_blocked()
        assert trio.lowlevel.current_statistics().tasks_living <= living + 1
        assert (io.statistics().sessions, io.statistics().connections) == (1, 2)


@pytest.mark.parametrize("given", CORS[1:], ids=["echoed", "matched", "fixed", "asked"])
async def test_no_page_is_welcome_twice_or_to_somebody_elses_cookies(
    given: dict[str, object], eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """Credentials are never allowed together with every origin."""
    io = make_server(**given)
    async with beside(io) as wire:
        for fields in ({}, {"Origin": "https://evil.example"}, {"Origin": "*"}):
            response = await wire.request("GET", wire.target("polling", eio=eio), fields)
            told = response.headers.get("access-control-allow-origin")
            is_trusted = response.headers.get("access-control-allow-credentials") == "true"
            if is_trusted and "Origin" in fields:
                assert told == fields["Origin"]
            elif is_trusted:
                assert told in ("", "https://good.example")
