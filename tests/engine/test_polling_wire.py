"""Long polling as bytes: what a browser's client sends, what comes back, and how it ends."""

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.engine.conftest import Recorder
from trio_sio.testing import Answer, WireClient, connect_wire, request_bytes

GONE = (400, b'{"code":1,"message":"Session ID unknown"}')
ORIGIN = {"Origin": "http://a"}


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


async def polled(wire: WireClient, answers: list[Answer]) -> None:
    """Poll in the background."""
    answers.append(await wire.request("GET", wire.target))


# -- packets ----------------------------------------------------------------------------------


async def test_pings_are_answered_whatever_they_say(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with connect_wire(engine(), recorder) as wire:
        await wire.handshake()
        await wire.post("1:26:2probe5:4text1:5")
        assert await wire.poll() == "1:31:35:4text"


async def test_only_the_first_packet_of_a_tick_answers_a_held_poll(
    autojump_clock: MockClock,
) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()
        for text in ("a", "b", "c"):
            session.send_nowait(text)
        await trio.sleep_forever()

    server = engine()
    async with connect_wire(server, handler) as poller, connect_wire(server, handler) as poster:
        poster.sid = await poller.handshake()
        answers: list[Answer] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(polled, poller, answers)
            await wait_all_tasks_blocked()
            await poster.post("2:4x")
        assert [answer.body for answer in answers] == [b"2:4a"]
        assert await poller.poll() == "2:4b2:4c"


async def test_a_full_outbox_waits_for_the_next_poll(autojump_clock: MockClock) -> None:
    sent: list[int] = []

    async def handler(session: trio_sio.Session) -> None:
        for number in range(7):
            await session.send(str(number))
            sent.append(number)
        await trio.sleep_forever()

    async with connect_wire(engine(max_outbox=3), handler) as wire:
        await wire.handshake()
        assert wire.opening.endswith("2:402:412:42")
        payloads = []
        for _ in range(2):
            await wait_all_tasks_blocked()
            payloads.append(await wire.poll())
        assert "".join(payloads).startswith("2:432:442:45")
        assert sent == list(range(7))


@pytest.mark.parametrize(
    ("query", "kind", "body"),
    [
        ({}, "application/octet-stream", b"\x00\x02\xff4a\x01\x05\xff\x04\x01\x02\x03\xff"),
        ({"b64": "1"}, "text/plain; charset=UTF-8", b"2:4a10:b4AQID/w=="),
        ({"b64": "0"}, "text/plain; charset=UTF-8", b"2:4a10:b4AQID/w=="),
        (
            {"b64": ""},
            "application/octet-stream",
            b"\x00\x02\xff4a\x01\x05\xff\x04\x01\x02\x03\xff",
        ),
    ],
)
@pytest.mark.parametrize("as_binary", [False, True])
async def test_binary_messages(
    as_binary: bool,
    query: dict[str, str],
    kind: str,
    body: bytes,
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async with connect_wire(engine(), recorder) as wire:
        await wire.handshake(query)
        payload: tuple[dict[str, str], bytes] = ({}, b"2:4a10:b4AQID/w==")
        if as_binary:
            data = b"\x00\x02\xff4a\x01\x05\xff\x04\x01\x02\x03\xff"
            payload = ({"Content-Type": "application/octet-stream"}, data)
        assert (await wire.request("POST", wire.target, *payload)).body == b"ok"
        assert recorder.messages == ["a", b"\x01\x02\x03\xff"]
        answer = await wire.request("GET", wire.target)
        assert (answer.headers["content-type"], answer.body) == (kind, body)


async def test_jsonp(recorder: Recorder, autojump_clock: MockClock) -> None:
    async with connect_wire(engine(), recorder) as wire:
        start = await wire.request("GET", wire.target + "&j=abc12x&b64=1", ORIGIN)
        assert start.body.startswith(rb'___eio[12]("96:0{\"sid\":\"')
        assert start.body.endswith(b'}");')
        wire.sid = start.body.decode().split('\\"')[3]
        body = rb"d=8%3A4l1%5Cnl2%E2%82%AC3%3A4%5C%5Cn"  # \n is a line's end, \\n is not
        posted = await wire.request(
            "POST", wire.target, {"Content-Type": "application/x-www-form-urlencoded"}, body
        )
        assert posted.body == b"ok"
        assert recorder.messages == ["l1\nl2€", "\\n"]
        answer = await wire.request("GET", wire.target + "&j=7", ORIGIN)
        assert answer.body == '___eio[12]("7:4l1\\nl2€3:4\\\\n");'.encode()
        for one in (start, posted, answer):
            assert "access-control-allow-origin" not in one.headers
            assert one.headers["set-cookie"].startswith(f"io={wire.sid}; ")
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"


async def test_the_cookie_and_the_origin_come_with_every_answer(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    def make_id(request: trio_sio.Request) -> str:
        return "my:id"

    async with connect_wire(engine(generate_id=make_id), recorder) as wire:
        await wire.handshake(headers=ORIGIN)
        for method, body in (("OPTIONS", b""), ("POST", b"2:4a"), ("GET", b"")):
            answer = await wire.request(method, wire.target, ORIGIN, body)
            assert answer.status == 200
            assert answer.headers.get_all("set-cookie") == [
                "io=my%3Aid; Path=/; HttpOnly; SameSite=Strict"
            ]
            assert answer.headers["access-control-allow-origin"] == "http://a"
            assert answer.headers["access-control-allow-credentials"] == "true"
            assert "vary" not in answer.headers
        assert "set-cookie" not in (await wire.request("PUT", wire.target, ORIGIN)).headers


# -- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "headers", "messages"),
    [
        (b"nonsense", {}, []),
        (b"2:4a5:4b", {}, ["a"]),
        (b"2:4a2:9x", {}, ["a"]),
        (b"99999999999999:4a", {}, []),
        (b"2:4a", {"Content-Type": "application/octet-stream"}, []),
        (b"\x00\x02\xff4a\x07", {"Content-Type": "application/octet-stream"}, ["a"]),
        (b"2:4\xff", {}, []),
    ],
)
async def test_a_malformed_payload_is_answered_and_ends_the_session(
    body: bytes,
    headers: dict[str, str],
    messages: list[str],
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async with connect_wire(engine(), recorder) as wire:
        await wire.handshake()
        assert (await wire.request("POST", wire.target, headers, body))[::2] == (200, b"ok")
        assert (await wire.request("GET", wire.target))[::2] == GONE
    assert recorder.messages == messages
    assert recorder.reasons == ["parse error"]


@pytest.mark.parametrize(
    ("payload", "heard", "reason"),
    [("nonsense", b"1:1", "parse error"), ("1:1", b"1:6", "transport close")],
)
async def test_a_held_poll_hears_of_the_end(
    payload: str, heard: bytes, reason: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    server = engine()
    async with connect_wire(server, recorder) as poller, connect_wire(server, recorder) as poster:
        poster.sid = await poller.handshake()
        answers: list[Answer] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(polled, poller, answers)
            await wait_all_tasks_blocked()
            await poster.post(payload)
        assert [answer[::2] for answer in answers] == [(200, heard)]
        assert recorder.reasons == [reason]
        assert (await poller.request("GET", poller.target))[::2] == GONE


async def test_what_comes_while_closing_is_answered_and_ignored(
    autojump_clock: MockClock,
) -> None:
    messages: list[str | bytes] = []

    async def handler(session: trio_sio.Session) -> None:
        messages.append(await session.receive())
        await session.send("bye")

    async with connect_wire(engine(), handler) as wire:
        await wire.handshake()
        await wire.post("2:4a")
        await wait_all_tasks_blocked()
        await wire.post("2:4b")
        assert await wire.poll() == "4:4bye"
        assert await wire.poll() == "1:61:1"
        assert (await wire.request("GET", wire.target))[::2] == GONE
    assert messages == ["a"]


async def test_a_post_that_overlaps_another_ends_the_session(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    server = engine()
    async with (
        connect_wire(server, recorder) as first,
        connect_wire(server, recorder) as second,
        connect_wire(server, recorder) as poller,
    ):
        first.sid = second.sid = await poller.handshake()
        answers: list[Answer] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(polled, poller, answers)
            await first.send(request_bytes("POST", first.target, {"Content-Length": "4"}) + b"2:4")
            await wait_all_tasks_blocked()
            answer = await second.request("POST", second.target, ORIGIN, b"2:4b")
        assert answer[::2] == (500, b"")
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert [answer.body for answer in answers] == [b"1:1"]
    assert (recorder.messages, recorder.reasons) == ([], ["transport error"])


async def test_a_post_that_breaks_off_ends_the_session(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    server = engine()
    async with connect_wire(server, recorder) as poller, connect_wire(server, recorder) as poster:
        poster.sid = await poller.handshake()
        await poster.send(request_bytes("POST", poster.target, {"Content-Length": "4"}) + b"2:4")
        await wait_all_tasks_blocked()
        await poster.aclose()
        await wait_all_tasks_blocked()
        assert recorder.reasons == ["transport error"]
        assert (await poller.request("GET", poller.target))[::2] == GONE


async def test_a_silent_client_is_told_of_its_end(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with connect_wire(engine(ping_interval=2.0, ping_timeout=1.0), recorder) as wire:
        await wire.handshake()
        assert await wire.poll() == "1:1"
        assert trio.current_time() == 3.0
    assert recorder.reasons == ["ping timeout"]


async def test_a_server_that_closes_answers_the_held_poll(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    server = engine()
    answers: list[Answer] = []
    async with connect_wire(server, recorder) as wire:
        await wire.handshake()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(polled, wire, answers)
            await wait_all_tasks_blocked()
            await server.aclose()
        assert await wire.receive() == b""
    assert [answer.body for answer in answers] == [b"1:1"]
    assert recorder.reasons == ["server shutting down"]
