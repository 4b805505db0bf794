"""Handshakes of any bytes: an answer and the end of it, the same with both libraries."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import trio
from hypothesis import example, given, strategies as st
from trio.testing import MockClock, lockstep_stream_pair, memory_stream_pair

import trio_sio
from tests.support.examples import examples
from tests.support.raw_websocket import ACCEPT, BINARY, KEY, TEXT, echo, frame
from trio_sio.engine.websocket.transport import CLOSE_TIMEOUT
from trio_sio.http import Headers
from trio_sio.testing.wire import WireClient, WireSession, open_wire
from trio_sio.testing.wire_http import WireConnection, WireResponse
from trio_sio.testing.wire_websocket import WireWebSocket, open_websocket

LIBRARIES = ("trio-websocket", "websockets")
both_libraries = pytest.mark.parametrize("ws_engine", LIBRARIES)

Field = tuple[str, bytes]

PLAIN: list[Field] = [
    ("Host", b"here"),
    ("Connection", b"Upgrade"),
    ("Upgrade", b"websocket"),
    ("Sec-WebSocket-Version", b"13"),
    ("Sec-WebSocket-Key", KEY.encode()),
]


def head(
    fields: list[Field],
    *,
    target: str = "/engine.io/?EIO=3&transport=websocket",
    method: str = "GET",
    version: str = "1.1",
) -> bytes:
    lines = [f"{method} {target} HTTP/{version}".encode()]
    return b"\r\n".join([*lines, *(n.encode() + b": " + v for n, v in fields), b"", b""])


def replaced(name: str, *values: bytes) -> list[Field]:
    """Return the usual fields, but those of one name are these."""
    return [one for one in PLAIN if one[0] != name] + [(name, value) for value in values]


@asynccontextmanager
async def served(ws_engine: str, **options: object) -> AsyncIterator[WireClient]:
    engine = trio_sio.Engine(raise_errors=True, ws_engine=ws_engine, **options)  # type: ignore[arg-type]
    with trio.CancelScope() as scope:
        async with open_wire(engine, echo) as wire:
            yield wire
            scope.cancel()  # an engine that ends would wait for polls


async def settled(wire: WireClient, connections: int) -> None:
    with trio.fail_after(10):
        while wire.engine.statistics().connections > connections:  # noqa: ASYNC110
            await trio.sleep(0.001)


async def asked(wire: WireClient, data: bytes) -> WireResponse:
    """Ask, leave behind the answer, and see that nothing is left."""
    before = wire.engine.statistics().connections
    connection = wire.connect()
    await connection.send(data)
    with trio.fail_after(10):
        response = await connection.receive_response()
    await connection.aclose()
    await settled(wire, before)
    return response


def gist(response: WireResponse) -> tuple[int, list[tuple[str, str]], bytes]:
    dateless = [(name, value) for name, value in response.headers if name != "date"]
    return response.status, sorted(dateless), response.body


async def test_an_accepted_handshake_is_answered_the_same(autojump_clock: MockClock) -> None:
    answers = []
    for ws_engine in LIBRARIES:
        async with served(ws_engine) as wire:
            fields = [*PLAIN, ("Sec-WebSocket-Protocol", b"one, two")]
            answers.append(await asked(wire, head(fields)))
    assert gist(answers[0]) == gist(answers[1])
    assert dict(answers[0].headers) == {
        "upgrade": "websocket",
        "connection": "Upgrade",
        "sec-websocket-accept": ACCEPT,
        "sec-websocket-protocol": "one",
    }


# -- other shapes ------------------------------------------------------------------------------

GOOD: list[list[Field]] = [
    replaced("Connection", b"Upgrade", b"keep-alive"),
    replaced("Connection", b"keep-alive", b"Upgrade"),
    replaced("Connection", b"keep-alive, \t UPGRADE ,,"),
    replaced("Connection", b"close, upgrade"),
    replaced("Upgrade", b"WebSocket"),
    replaced("Upgrade", b"h2c, websocket"),
    replaced("Upgrade", b"h2c", b"websocket"),
    replaced("Sec-WebSocket-Version", b" \t13 "),
    replaced("Sec-WebSocket-Version", b"8"),
    [(name.upper(), value) for name, value in PLAIN],
    [(name.lower(), value) for name, value in PLAIN],
    PLAIN[::-1],
    [*PLAIN, ("Content-Length", b"0")],
    [*PLAIN, ("Sec-WebSocket-Extensions", b"a;b=\xe9"), ("Sec-WebSocket-Extensions", b"c")],
    [*PLAIN, ("Sec-WebSocket-Protocol", b"\xe9")],
    [*PLAIN, ("Sec-WebSocket-Protocol", b"one"), ("Sec-WebSocket-Protocol", b"two")],
    [*PLAIN, *((f"X-{number}", b"\xff" * 100) for number in range(90))],
    replaced("Host", b"b%C3%BCcher.example:80"),
    replaced("Host", b"[::1]"),
    replaced("Host", b""),
]
REFUSED: list[list[Field]] = [
    replaced("Sec-WebSocket-Version", b"13, 8"),
    replaced("Sec-WebSocket-Version", b"13", b"13"),
    replaced("Sec-WebSocket-Version", b"7"),
    replaced("Sec-WebSocket-Version"),
    replaced("Sec-WebSocket-Key"),
    replaced("Sec-WebSocket-Key", b"\xe9" * 24),
    replaced("Sec-WebSocket-Key", KEY.encode(), KEY.encode()),
    replaced("Connection"),
    replaced("Connection", b"xupgradey"),
    replaced("Connection", b"keep-alive"),
    replaced("Upgrade"),
    replaced("Upgrade", b"websocketx"),
    replaced("Upgrade", b"websocket\xe9"),
    replaced("Host", b"here", b"there"),
    replaced("Host", b"b\xc3\xbccher.example"),
    [*PLAIN, ("Content-Length", b"1")],
    [*PLAIN, ("Transfer-Encoding", b"chunked")],
]


both_versions = pytest.mark.parametrize("version", ["1.1", "1.0"])


@both_libraries
@both_versions
@pytest.mark.parametrize("fields", GOOD, ids=range(len(GOOD)))
async def test_shapes_that_are_accepted(
    fields: list[Field], version: str, ws_engine: str, autojump_clock: MockClock
) -> None:
    """In HTTP/1.0 as well: so do proxies ask that are not told to speak 1.1."""
    async with served(ws_engine) as wire:
        assert (await asked(wire, head(fields, version=version))).status == 101
        session = await wire.handshake()
        data = head(fields, target=wire.target("websocket", sid=session.sid), version=version)
        assert (await asked(wire, data)).status == 101


@both_libraries
@both_versions
@pytest.mark.parametrize("fields", REFUSED, ids=range(len(REFUSED)))
async def test_shapes_that_are_refused(
    fields: list[Field], version: str, ws_engine: str, autojump_clock: MockClock
) -> None:
    async with served(ws_engine) as wire:
        assert (await asked(wire, head(fields, version=version))).status == 400
        session = await wire.handshake()
        data = head(fields, target=wire.target("websocket", sid=session.sid), version=version)
        assert (await asked(wire, data)).status == 400
        assert list(wire.engine.sessions) == [session.sid]


@both_libraries
@pytest.mark.parametrize(("version", "status"), [("1.1", 400), ("1.0", 101)])
async def test_only_http_1_0_does_without_a_host(
    version: str, status: int, ws_engine: str, autojump_clock: MockClock
) -> None:
    """RFC 9112, 3.2."""
    async with served(ws_engine) as wire:
        assert (await asked(wire, head(replaced("Host"), version=version))).status == status


@both_libraries
async def test_a_session_goes_on_by_a_websocket_that_http_1_0_asked_for(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    async with served(ws_engine) as wire:
        session = await wire.handshake()
        connection = wire.connect()
        target = wire.target("websocket", sid=session.sid)
        data = head(replaced("Host"), target=target, version="1.0")
        await connection.send(data + frame(TEXT, b"2probe") + frame(TEXT, b"5"))
        assert (await connection.receive_response()).status == 101
        assert await connection.receive_exactly(8) == b"\x81\x063probe"
        await connection.send(frame(TEXT, b"4here"))
        assert await connection.receive_exactly(7) == b"\x81\x054here"


@both_libraries
async def test_compression_may_be_offered_in_several_fields(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    offers = [
        ("Sec-WebSocket-Extensions", b"permessage-deflate; server_max_window_bits=99, x-webkit"),
        ("Sec-WebSocket-Extensions", b"permessage-deflate"),
    ]
    option = ws_engine == "websockets"  # the other one has none
    async with served(ws_engine, per_message_deflate=option) as wire:
        response = await asked(wire, head([*PLAIN, *offers]))
        assert response.status == 101
        agreed = response.headers.get("sec-websocket-extensions")
        assert agreed == ("permessage-deflate" if option else "")


# -- requests that cannot be upgraded -----------------------------------------------------------


SMUGGLED = frame(TEXT, b"4smuggled") + frame(BINARY, b"\x04smuggled")


@both_libraries
@pytest.mark.parametrize("with_sid", [False, True])
@pytest.mark.parametrize(
    ("fields", "method", "version", "body"),
    [
        ([("Content-Length", b"%d" % len(SMUGGLED))], "GET", "1.1", SMUGGLED),
        ([("Content-Length", b"1")], "GET", "1.1", b"x" + SMUGGLED),
        (
            [("Transfer-Encoding", b"chunked")],
            *("GET", "1.1", b"%x\r\n%b\r\n0\r\n\r\n" % (len(SMUGGLED), SMUGGLED)),
        ),
        ([], "POST", "1.1", SMUGGLED),
        ([("Content-Length", b"%d" % len(SMUGGLED))], "POST", "1.1", SMUGGLED),
        ([], "PUT", "1.1", SMUGGLED),
        ([("Content-Length", b"%d" % len(SMUGGLED))], "GET", "1.0", SMUGGLED),
        ([("Transfer-Encoding", b"chunked")], "GET", "1.0", SMUGGLED),
        ([], "POST", "1.0", SMUGGLED),
        ([("Content-Length", b"%d" % len(SMUGGLED))], "POST", "1.0", SMUGGLED),
    ],
    ids=[
        *("body", "short-body", "chunked", "post", "post-body", "put"),
        *("1.0-body", "1.0-chunked", "1.0-post", "1.0-post-body"),
    ],
)
async def test_what_cannot_be_an_upgrade_is_refused_and_nothing_of_it_read_as_frames(
    fields: list[Field],
    method: str,
    version: str,
    body: bytes,
    with_sid: bool,
    ws_engine: str,
    autojump_clock: MockClock,
) -> None:
    async with served(ws_engine) as wire:
        session: WireSession | None = await wire.handshake() if with_sid else None
        target = wire.target("websocket", sid=session.sid if session else "")
        data = head([*PLAIN, *fields], target=target, method=method, version=version)
        connection = wire.connect()
        await connection.send(data + body)
        response = await connection.receive_response(to=method)
        assert response.status == 400
        # What is behind it is at most an answer to what would be the next request.
        rest = await connection.receive_rest()
        assert rest == b"" or rest.startswith(b"HTTP/1.1 400 ")
        assert b"smuggled" not in rest
        assert len(wire.engine.sessions) == (1 if with_sid else 0)
        if session is not None:
            await session.post("4a")
            assert await session.poll() == ["4a"]


# -- time -----------------------------------------------------------------------------------------


@both_libraries
@pytest.mark.parametrize(
    ("data", "options"),
    [
        (head(PLAIN), {}),
        (head(PLAIN, target="/engine.io/?transport=pigeon"), {}),
        (head(replaced("Sec-WebSocket-Key")), {}),
        (head(PLAIN), {"allow_request": lambda request: False}),
        (head(replaced("Upgrade")), {}),
        (head(replaced("Connection", b"xupgradey")), {}),
    ],
    ids=["accepted", "transport", "key", "forbidden", "no-upgrade", "no-token"],
)
async def test_an_answer_that_is_not_taken_has_its_time(
    data: bytes, options: dict[str, object], ws_engine: str, autojump_clock: MockClock
) -> None:
    """By a stream that takes nothing before its peer reads it, as a full socket does."""
    limits = {"answer_timeout": 30, "keep_alive_timeout": 5}
    engine = trio_sio.Engine(raise_errors=True, ws_engine=ws_engine, **limits, **options)  # type: ignore[arg-type]
    ours, theirs = lockstep_stream_pair()
    async with engine, trio.open_nursery() as nursery:
        nursery.start_soon(engine.serve_stream, theirs, echo)
        await ours.send_all(data)
        await trio.sleep(29)
        assert engine.statistics().connections == 1
        await trio.sleep(2)
        assert engine.statistics().connections == 0
        assert engine.statistics().limits == {"answer_timeout": 1}
        assert engine.sessions == {}


@both_libraries
@pytest.mark.parametrize(
    "frames",
    [
        frame(TEXT, b"2probe"),
        frame(TEXT, b"4no probe"),
        frame(TEXT, b"2probe") + frame(9, b"x" * 100) * 100,
        frame(9, b"x" * 100) * 100 + frame(8, b""),
        frame(3, b""),
        b"",
    ],
    ids=["probe", "goodbye", "probe-pongs", "pongs-close", "error", "silence"],
)
async def test_nothing_that_a_probing_client_does_not_take_keeps_its_connection(
    frames: bytes, ws_engine: str, autojump_clock: MockClock
) -> None:
    """Neither `3probe` nor pongs nor a close frame; and the session goes on polling."""
    async with served(ws_engine, upgrade_timeout=7) as wire:
        session = await wire.handshake()
        connections = wire.engine.statistics().connections
        ours, theirs = lockstep_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wire.engine.serve_stream, theirs, echo)
            connection = WireConnection(ours)
            await connection.send(head(PLAIN, target=wire.target("websocket", sid=session.sid)))
            assert (await connection.receive_response()).status == 101
            with trio.move_on_after(1), suppress(trio.BrokenResourceError):
                await connection.send(frames)
            await trio.sleep(7 + CLOSE_TIMEOUT + 1)
            assert wire.engine.statistics().connections == connections
        await session.post("4a")
        assert await session.poll() == ["4a"]


@both_libraries
@pytest.mark.parametrize("ends", ["silence", "close", "error"])
async def test_nothing_that_a_client_does_not_take_keeps_its_session(
    ends: str, ws_engine: str, autojump_clock: MockClock
) -> None:
    last = {"silence": b"", "close": frame(8, b""), "error": frame(3, b"")}[ends]
    async with served(ws_engine, ping_interval=5, ping_timeout=2) as wire:
        ours, theirs = lockstep_stream_pair()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(wire.engine.serve_stream, theirs, echo)
            connection = WireConnection(ours)
            await connection.send(head(PLAIN))
            assert (await connection.receive_response()).status == 101
            with trio.move_on_after(1), suppress(trio.BrokenResourceError):
                await connection.send(frame(TEXT, b"4a") + frame(9, b"?") * 10 + last)
            await trio.sleep(5 + 2 + CLOSE_TIMEOUT + 1)
            assert wire.engine.statistics().connections == 0
            assert wire.engine.sessions == {}


# -- any bytes ------------------------------------------------------------------------------------


NAMES = [
    *("Host", "Connection", "Upgrade", "Sec-WebSocket-Key", "Sec-WebSocket-Version"),
    *("Sec-WebSocket-Extensions", "Sec-WebSocket-Protocol", "Origin", "Cookie", "Content-Length"),
    *("Transfer-Encoding", "Expect", "X"),
]
WORDS = [
    *(b"websocket", b"upgrade", b"keep-alive", b"close", b"h2c", b"13", b"8", KEY.encode()),
    *(b"permessage-deflate", b"client_max_window_bits", b"server_max_window_bits", b"chunked"),
    *(b"one", b"\xe9", b"\xb2", b"0", b"1", b"here", b"100-continue", b'"', b";", b"=", b"\x00"),
    *(b"xn--", b"\x7f", b"\xff" * 70, b"a" * 300, b"[::1]", b"..", b"\r", b"\n"),
]
VALUES = st.one_of(
    st.binary(max_size=30),
    st.lists(st.sampled_from(WORDS), max_size=5).flatmap(
        lambda words: st.sampled_from([b",", b", ", b" ", b"\t", b"; ", b"="]).map(
            lambda joiner: joiner.join(words)
        )
    ),
    st.integers(1, 15_000).map(lambda size: b"a," * (size // 2)),
)


@st.composite
def handshakes(draw: st.DrawFn) -> list[Field]:
    """The usual fields with some of them replaced, left out, repeated or spelled otherwise."""
    fields = list(PLAIN)
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from(NAMES))
        fields = draw(st.sampled_from([fields, [one for one in fields if one[0] != name]]))
        fields = fields + [(name, value) for value in draw(st.lists(VALUES, max_size=2))]
    spell = draw(st.sampled_from(["capitalize", "lower", "upper"]))
    return draw(st.permutations([(getattr(name, spell)(), value) for name, value in fields]))


@examples(150)
@given(
    handshakes(),
    st.sampled_from(["GET", "GET", "GET", "POST", "HEAD", "OPTIONS", "CONNECT"]),
    st.sampled_from(["1.1", "1.1", "1.0"]),
    st.booleans(),
)
@example(replaced("Host", b"\xe9"), "GET", "1.1", False)
@example(replaced("Host", b"a" * 70), "GET", "1.1", True)
@example([*PLAIN, ("Sec-WebSocket-Protocol", b"\xe9")], "GET", "1.1", False)
@example([*PLAIN, ("Sec-WebSocket-Extensions", b"\xe9")], "GET", "1.1", False)
@example(replaced("Connection", b"xupgradey"), "GET", "1.1", False)
@example([("Host", b"here"), ("TE", b"x"), ("Origin", b""), ("Origin", b"")], "GET", "1.1", False)
async def test_both_libraries_give_any_handshake_the_same_answer(
    fields: list[Field], method: str, version: str, with_sid: bool
) -> None:
    """Or the same end; and nothing of it stays, and no exception comes out."""
    answers = []
    for ws_engine in LIBRARIES:
        async with served(ws_engine) as wire:
            sid = (await wire.handshake()).sid if with_sid else ""
            connections = wire.engine.statistics().connections
            target = wire.target("websocket", sid=sid)
            connection = wire.connect()
            await connection.send(head(fields, target=target, method=method, version=version))
            answers.append(await _answer(connection, method))
            await connection.aclose()
            await settled(wire, connections)
            assert list(wire.engine.sessions) == ([sid] if sid else [])
    assert answers[0] == answers[1]


async def _answer(connection: WireConnection, method: str) -> object:
    with trio.fail_after(10):
        try:
            response = await connection.receive_response(to=method)
        except trio.BrokenResourceError:
            return None
    accepted = Headers(response.headers).get("sec-websocket-extensions")
    return gist(response), accepted


# -- who has the connection ----------------------------------------------------------------------


def connection_tasks() -> int:
    """How many tasks of connections there are."""
    waiting, count = [trio.lowlevel.current_root_task()], 0
    while waiting:
        task = waiting.pop()
        assert task is not None
        count += task.name.endswith("Connections._serve")
        waiting += [child for nursery in task.child_nurseries for child in nursery.child_tasks]
    return count


async def settle(engine: trio_sio.Engine, connections: int) -> None:
    """Wait until this many connections are left, each of a session."""
    with trio.fail_after(10):
        while (engine.statistics().connections, len(engine.sessions)) != (connections,) * 2:  # noqa: ASYNC110
            await trio.sleep(0.01)


async def opened_websocket(port: int, query: str = "") -> WireWebSocket:
    stream = await trio.open_tcp_stream("127.0.0.1", port)
    target = f"/engine.io/?EIO=3&transport=websocket{query}"
    return await open_websocket(WireConnection(stream), target)


@pytest.mark.parametrize(("ws_engine", "tasks"), [("websockets", 0), ("trio-websocket", 2)])
async def test_a_connection_is_counted_until_its_session_closes_it(
    ws_engine: str, tasks: int
) -> None:
    """The session has a task; the one that accepted the connection ends where it can."""
    engine = trio_sio.Engine(ws_engine=ws_engine, raise_errors=True)  # type: ignore[arg-type]
    async with engine, trio.open_nursery() as nursery:
        serve = partial(engine.serve_tcp, echo, 0, host="127.0.0.1")
        (listener,) = await nursery.start(serve)
        port = listener.socket.getsockname()[1]
        direct = await opened_websocket(port)
        assert str(await direct.receive()).startswith("0{")
        polling = WireConnection(await trio.open_tcp_stream("127.0.0.1", port))
        response = await polling.request("GET", "/engine.io/?EIO=3&transport=polling")
        sid = response.text.partition('"sid":"')[2].partition('"')[0]
        upgraded = await opened_websocket(port, f"&sid={sid}")
        await upgraded.send("2probe")
        assert await upgraded.receive() == "3probe"
        await upgraded.send("5")
        await polling.aclose()
        for websocket in (direct, upgraded):
            await websocket.send("4hello")
            assert await websocket.receive() == "4hello"
        assert engine.statistics().connections == 2
        assert connection_tasks() == tasks
        for number, websocket in enumerate((direct, upgraded)):
            await websocket.aclose()
            await settle(engine, 1 - number)
        assert connection_tasks() == 0
        nursery.cancel_scope.cancel()


@both_libraries
async def test_a_session_ends_with_the_task_that_serves_its_stream(
    ws_engine: str, autojump_clock: MockClock
) -> None:
    reasons: list[object] = []

    async def handler(session: trio_sio.Session) -> None:
        try:
            await session.receive()
        finally:
            reasons.append(session.reason)

    engine = trio_sio.Engine(ws_engine=ws_engine, raise_errors=True)  # type: ignore[arg-type]
    ours, theirs = memory_stream_pair()
    async with engine, trio.open_nursery() as nursery:
        nursery.start_soon(engine.serve_stream, theirs, handler)
        target = "/engine.io/?EIO=3&transport=websocket"
        websocket = await open_websocket(WireConnection(ours), target)
        assert str(await websocket.receive()).startswith("0{")
        assert engine.statistics().connections == 1
        nursery.cancel_scope.cancel()
    assert len(reasons) == 1
    assert (engine.statistics().connections, len(engine.sessions)) == (0, 0)
