"""Heads of requests: extensions, subprotocols, their number and size; and heads of answers."""

import logging
from collections.abc import Callable

import pytest
import trio
from trio.testing import MockClock

import trio_sio
from tests.security.clients import is_served, is_served_by_polling, joined, polling
from tests.security.neighbour import beside, talk_raw
from tests.support.servers import MakeServer
from trio_sio.engine.http import cors
from trio_sio.engine.polling.compression import choose
from trio_sio.engine.websocket.backends.websockets import Agreement, negotiator
from trio_sio.engine.websocket.handshake import acceptance
from trio_sio.http import Headers, Request
from trio_sio.options import EngineOptions
from trio_sio.testing.wire import packets_of
from trio_sio.testing.wire_websocket import handshake_headers

EXTENSIONS = [
    "constructor",
    "__proto__; hasOwnProperty",
    "permessage-deflate; __proto__",
    "permessage-deflate; constructor=1",
    "permessage-deflate; server_max_window_bits=__proto__",
    "permessage-deflate; server_max_window_bits=7",
    "permessage-deflate; client_max_window_bits=99999999999999999999",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; server_max_window_bits=10; server_max_window_bits=10",
    "permessage-deflate" + "; a=b" * 2000,
    ";;;;",
    ",,,,",
    'permessage-deflate; a="',
    'permessage-deflate; a="\\',
    "permessage-deflate;" + " " * 8000 + ";",
    "\x80\xff",
    ", ".join(["x"] * 3000),
]


@pytest.mark.parametrize("deflate", [False, True])
@pytest.mark.parametrize("extensions", EXTENSIONS)
async def test_ghsa_5v72_xg48_5rpm_odd_extensions_are_not_agreed_upon(
    eio: int, extensions: str, deflate: bool, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    async with beside(make_server(per_message_deflate=deflate)) as wire:
        websocket = await joined(wire, headers={"Sec-WebSocket-Extensions": extensions}, eio=eio)
        assert "sec-websocket-extensions" not in websocket.headers
        assert await is_served(websocket)


async def test_ghsa_5v72_xg48_5rpm_a_good_offer_behind_odd_ones_is_taken(
    eio: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """So the others above were refused for what they were."""
    async with beside(make_server(per_message_deflate=True)) as wire:
        offers = "constructor, __proto__; a=b, permessage-deflate"
        websocket = await joined(wire, headers={"Sec-WebSocket-Extensions": offers}, eio=eio)
        assert websocket.headers["sec-websocket-extensions"] == "permessage-deflate"


# -- time ----------------------------------------------------------------------------------------

LONG: list[tuple[str, Callable[[int], str]]] = [
    ("Sec-WebSocket-Protocol", lambda size: "b" + " " * size + "x"),
    ("Sec-WebSocket-Protocol", lambda size: "a," * (size // 2) + "\x80"),
    ("Sec-WebSocket-Extensions", lambda size: "a" + " " * size + "!"),
    ("Sec-WebSocket-Extensions", lambda size: 'a;b="' + "\\a" * (size // 2)),
    ("Sec-WebSocket-Extensions", lambda size: "permessage-deflate;" + " ;" * (size // 2)),
    ("Connection", lambda size: "upgrade" + " " * size + "x"),
    ("Connection", lambda size: "upgrade," * (size // 8)),
    ("Upgrade", lambda size: "websocket" + " " * size),
    ("Cookie", lambda size: "a=b; " * (size // 5)),
    ("Origin", lambda size: "http://" + "a." * (size // 2)),
    ("X", lambda size: " \t" * (size // 2) + "x"),
]
"""Values over which a careless regular expression thinks for hours."""


@pytest.mark.parametrize(("name", "value"), LONG)
async def test_cve_2021_32640_a_long_value_takes_time_in_proportion(
    name: str, value: Callable[[int], str]
) -> None:
    """A megabyte, by whatever looks at a field: quadratic work on that would not end."""
    request = Request("GET", "/", Headers(handshake_headers({name: value(1_000_000)}).items()))
    assert isinstance(request.wants_websocket, bool)
    assert acceptance(request, "").startswith(b"HTTP/1.1 101 ")
    options = EngineOptions(per_message_deflate=True)
    agreement = negotiator(options, trio.lowlevel.checkpoint)(request)
    assert isinstance(agreement, Agreement)
    assert (agreement.extension, agreement.extensions) == (None, "")
    assert not cors.is_listed(["https://a.example"], cors.origin_of(request))
    assert choose(request.headers.get(name)) in (None, "gzip")


@pytest.mark.parametrize(("name", "value"), LONG)
async def test_cve_2021_32640_a_value_that_fills_the_head_is_answered(
    eio: int,
    name: str,
    value: Callable[[int], str],
    autojump_clock: MockClock,
    make_server: MakeServer,
) -> None:
    async with beside(make_server(origins=lambda origin: True, per_message_deflate=True)) as wire:
        fields = handshake_headers({name: value(15_000)})
        for target in (wire.target("websocket", eio=eio), wire.target("polling", eio=eio)):
            response = await wire.request("GET", target, fields)
            assert response.status in (101, 200, 400)


# -- number and size -----------------------------------------------------------------------------


@pytest.mark.parametrize("count", [101, 2000, 3900])
async def test_cve_2024_37890_many_headers_are_refused(
    eio: int, count: int, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    io = make_server()
    async with beside(io) as wire:
        for transport, more in [("polling", {}), ("websocket", handshake_headers())]:
            usual = "".join(f"{key}: {value}\r\n" for key, value in more.items())
            lines = "a:\r\n" * (count - 1 - len(more))
            head = (
                f"GET {wire.target(transport, eio=eio)} HTTP/1.1\r\nHost: a\r\n{usual}{lines}\r\n"
            )
            response = await talk_raw(wire, head.encode())
            assert response.status == 431
        assert io.statistics().sessions == 1


@pytest.mark.parametrize(
    "head",
    [
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 1_000_000,
        b"GET /" + b"x" * 1_000_000,
        b"x" * 1_000_000,
        b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: 1\r\n" * 100_000,
        b"\r\n" * 200_000,
        b"\0" * 1_000_000,
    ],
)
async def test_cve_2024_37890_a_head_without_end_is_refused_long_before_its_end(
    head: bytes, autojump_clock: MockClock, make_server: MakeServer
) -> None:
    """And not kept: the connection is closed while most of it has yet to be sent."""
    io = make_server()
    async with beside(io) as wire:
        connection = wire.connect()
        start = trio.current_time()
        await connection.send(head)
        answer = await connection.receive_rest()
        assert answer == b"" or answer.split(b" ", 2)[1] in (b"400", b"431")
        assert trio.current_time() - start < io.engine.options.head_timeout
        await connection.aclose()
        await trio.testing.wait_all_tasks_blocked()
        assert io.statistics().connections == 1


# -- heads of answers ----------------------------------------------------------------------------

FAULTY = [
    ("X", "a\r\nSet-Cookie: evil=1"),
    ("X\r\nEvil: 1", "a"),
    ("X", "a\0"),
    ("X", "\u20ac"),
    ("X", "a\nEvil: 1"),
    ("Content-Length", "3"),
    ("Transfer-Encoding", "chunked"),
]


@pytest.mark.parametrize("is_late", [False, True], ids=["made", "grown"])
@pytest.mark.parametrize("expects", [{}, {"Expect": "x"}], ids=["plain", "h11"])
@pytest.mark.parametrize("field", FAULTY)
async def test_no_id_javascript_an_answer_that_cannot_be_sent_sends_nothing_of_itself(
    field: tuple[str, str],
    expects: dict[str, str],
    is_late: bool,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Neither half a head nor a field of somebody else's; it is logged, and nobody else suffers."""

    async def fail(request: trio_sio.Request) -> trio_sio.Response:
        response = trio_sio.Response(200, [] if is_late else [field], b"body")
        if is_late:
            response.headers.append(field)
        return response

    async with beside(trio_sio.Server(fallback=fail)) as wire:
        response = await wire.request("GET", "/", expects)
        assert (response.status, response.body) == (500, b"")
        assert "evil" not in response.headers
        assert "set-cookie" not in response.headers
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert "fallback failed for GET /" in record.getMessage()


async def test_no_id_javascript_an_error_behind_the_head_of_an_answer_makes_no_second_one(
    eio: int, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """The handler fails once its poll has been answered: that was the answer."""
    io = trio_sio.Server()
    fail = trio.Event()

    @io.on("fail")
    async def handler(socket: trio_sio.Socket) -> None:
        await socket.emit("first")
        await trio.testing.wait_all_tasks_blocked()
        fail.set()
        raise RuntimeError("behind the head")

    async with beside(io) as wire:
        session = await polling(wire, eio=eio)
        await session.poller.send_request("GET", session.target)
        await session.post('42["fail"]')
        assert packets_of(await session.poller.receive_response(), eio) == ['42["first"]']
        await fail.wait()
        assert await is_served_by_polling(session)  # on the connection of the first answer
    assert "behind the head" in caplog.text
