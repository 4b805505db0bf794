"""Long polling as bytes: what a browser's client sends, what comes back, and how it ends."""

from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.engine.conftest import Recorder
from tests.support.refusals import told
from trio_sio.testing.wire import WireSession, open_wire
from trio_sio.testing.wire_http import WireResponse

GONE = (400, told(b'{"code":1,"message":"Session ID unknown"}'))
ORIGIN = {"Origin": "http://a"}
OCTETS = "application/octet-stream"
FORM = "application/x-www-form-urlencoded"
BINARY = b"\x00\x02\xff4a\x01\x05\xff\x04\x01\x02\x03\xff"
BASE64 = b"2:4a10:b4AQID/w=="


def engine(**options: object) -> trio_sio.Engine:
    return trio_sio.Engine(raise_errors=True, **options)  # type: ignore[arg-type]


def short(response: WireResponse) -> tuple[int, bytes]:
    return response.status, response.body


async def hold(session: WireSession, bodies: list[bytes]) -> None:
    """Poll in the background."""
    bodies.append((await session.poll_response()).body)


# -- packets ----------------------------------------------------------------------------------


async def test_pings_are_answered_whatever_they_say(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        await session.post("2", "2probe", "4text", "5", "6", "3")
        assert await session.poll() == ["3", "3", "4text"]


async def test_only_the_first_packet_of_a_tick_answers_a_held_poll(
    autojump_clock: MockClock,
) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()
        for text in ("a", "b", "c"):
            session.send_nowait(text)
        await trio.sleep_forever()

    async with open_wire(engine(), handler) as wire:
        session = await wire.handshake()
        bodies: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold, session, bodies)
            await wait_all_tasks_blocked()
            await session.post("4x")
        assert bodies == [b"2:4a"]
        assert await session.poll() == ["4b", "4c"]


async def test_a_full_outbox_waits_for_the_next_poll(autojump_clock: MockClock) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()
        for number in range(7):
            await session.send(str(number))
        await trio.sleep_forever()

    async with open_wire(engine(max_outbox=3), handler) as wire:
        session = await wire.handshake()
        await session.post("4go")
        polls = []
        for _ in range(3):
            await wait_all_tasks_blocked()
            polls.append(await session.poll())
        assert polls == [["40", "41", "42"], ["43", "44", "45"], ["46"]]


@pytest.mark.parametrize(("kind", "sent"), [("text/plain;charset=UTF-8", BASE64), (OCTETS, BINARY)])
@pytest.mark.parametrize(
    ("query", "answered", "body"),
    [
        ("", OCTETS, BINARY),
        ("b64=", OCTETS, BINARY),
        ("b64=1", "text/plain; charset=UTF-8", BASE64),
        ("b64=0", "text/plain; charset=UTF-8", BASE64),
    ],
)
async def test_binary_messages(
    query: str,
    answered: str,
    body: bytes,
    kind: str,
    sent: bytes,
    recorder: Recorder,
    autojump_clock: MockClock,
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake(query)
        assert short(await session.post_body(sent, kind)) == (200, b"ok")
        assert recorder.messages == ["a", b"\x01\x02\x03\xff"]
        response = await session.poll_response()
        assert (response.headers["content-type"], response.body) == (answered, body)


async def test_jsonp(recorder: Recorder, autojump_clock: MockClock) -> None:
    async with open_wire(engine(), recorder) as wire:
        connection = wire.connect()
        start = await connection.request("GET", wire.target("polling", "j=abc12x"), ORIGIN)
        assert start.text.startswith(r'___eio[12]("96:0{\"sid\":\"')
        assert start.text.endswith('}");')
        target = wire.target("polling", "j=7", sid=start.text.split('\\"')[3])
        # \n is a line's end, \\n are the two letters
        body = rb"d=7%3A4l1%5Cnl2%E2%82%AC3%3A4%5C%5Cn"
        posted = await connection.request("POST", target, {**ORIGIN, "Content-Type": FORM}, body)
        assert short(posted) == (200, b"ok")
        polled = await connection.request("GET", target, ORIGIN)
        assert polled.text == r'___eio[12]("7:4l1\nl2€3:4\\n");'
        assert polled.headers["content-type"] == "text/plain; charset=UTF-8"
        for response in (start, posted, polled):
            assert response.headers["set-cookie"].startswith("io=")
    assert recorder.messages == ["l1\nl2€", "\\n"]


async def test_the_cookie_and_the_origin_come_with_every_answer(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    server = engine(generate_id=lambda request: "my:id")
    async with open_wire(server, recorder) as wire:
        session = await wire.handshake(headers=ORIGIN)
        responses = [
            session.response,
            await session.post_body(b"2:4a"),
            await session.poll_response(),
        ]
        for response in responses:
            assert response.headers.get_all("set-cookie") == [
                "io=my%3Aid; Path=/; HttpOnly; SameSite=Strict"
            ]
            assert response.headers["access-control-allow-origin"] == "http://a"
            assert response.headers["access-control-allow-credentials"] == "true"


@pytest.mark.parametrize(
    ("options", "cookies"),
    [
        ({}, []),
        ({"cookie": None}, []),
        ({"cookie": "io"}, ["io=my%3Aid; Path=/; HttpOnly; SameSite=Lax"]),
        (
            {"cookie": {"name": "lb", "max_age": 100, "same_site": "None"}},
            ["lb=my%3Aid; Max-Age=100; Path=/; HttpOnly; Secure; SameSite=None"],
        ),
    ],
)
async def test_in_engine_io_4_it_comes_with_the_handshake_alone(
    options: dict[str, Any], cookies: list[str], autojump_clock: MockClock, recorder: Recorder
) -> None:
    server = engine(generate_id=lambda request: "my:id", **options)
    target = "/engine.io/?EIO=4&transport=polling"
    async with open_wire(server, recorder) as wire:
        first = await wire.request("GET", target, ORIGIN)
        session = target + "&sid=my%3Aid"
        others = [
            await wire.request("POST", session, ORIGIN, b"4a"),
            await wire.request("GET", session, ORIGIN),
            await wire.request("OPTIONS", session, ORIGIN),
        ]
        assert first.headers.get_all("set-cookie") == cookies
        for response in others:
            assert response.headers.get_all("set-cookie") == []
            assert response.headers["access-control-allow-origin"] == "http://a"


# -- the end ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "kind", "messages"),
    [
        (b"nonsense", "", []),
        (b"2:4a5:4b", "", ["a"]),
        (b"2:4a2:9x", "", ["a"]),
        (b"99999999999999:4a", "", []),
        (b"2:4a", OCTETS, []),
        (b"\x00\x02\xff4a\x07", OCTETS, ["a"]),
        (BINARY[:-1], OCTETS, ["a"]),
    ],
)
async def test_a_malformed_payload_is_answered_and_ends_the_session(
    body: bytes, kind: str, messages: list[str], recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        assert short(await session.post_body(body, kind)) == (200, b"ok")
        assert short(await session.poll_response()) == GONE
    assert recorder.messages == messages
    assert recorder.reasons == ["parse error"]


@pytest.mark.parametrize(
    ("payload", "heard", "reason"),
    [(b"nonsense", b"1:1", "parse error"), (b"1:1", b"1:6", "transport close")],
)
async def test_a_held_poll_hears_of_the_end(
    payload: bytes, heard: bytes, reason: str, recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        bodies: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold, session, bodies)
            await wait_all_tasks_blocked()
            assert (await session.post_body(payload)).body == b"ok"
        assert bodies == [heard]
        assert recorder.reasons == [reason]
        assert short(await session.poll_response()) == GONE


async def test_what_comes_while_closing_is_answered_and_ignored(
    autojump_clock: MockClock,
) -> None:
    messages: list[str | bytes] = []

    async def handler(session: trio_sio.Session) -> None:
        messages.append(await session.receive())
        await session.send("bye")

    async with open_wire(engine(), handler) as wire:
        session = await wire.handshake()
        await session.post("4a")
        await wait_all_tasks_blocked()
        await session.post("4b")
        assert await session.poll() == ["4bye"]
        assert await session.poll() == ["6", "1"]
        assert short(await session.poll_response()) == GONE
    assert messages == ["a"]


async def test_a_post_that_overlaps_another_ends_the_session(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        bodies: list[bytes] = []
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold, session, bodies)
            await session.poster.send_request(
                "POST", session.target, {"Content-Length": "4"}, b"2:4"
            )
            await wait_all_tasks_blocked()
            response = await wire.request("POST", session.target, ORIGIN, b"2:4b")
        assert short(response) == (500, b"")
        assert "set-cookie" not in response.headers
        assert bodies == [b"1:1"]
    assert (recorder.messages, recorder.reasons) == ([], ["transport error"])


async def test_a_post_that_breaks_off_ends_the_session(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        await session.poster.send_request("POST", session.target, {"Content-Length": "4"}, b"2:4")
        await wait_all_tasks_blocked()
        await session.poster.aclose()
        await wait_all_tasks_blocked()
        assert recorder.reasons == ["transport error"]
        assert short(await session.poll_response()) == GONE


async def test_a_silent_client_is_told_of_its_end(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    async with open_wire(engine(ping_interval=2.0, ping_timeout=1.0), recorder) as wire:
        session = await wire.handshake()
        assert await session.poll() == ["1"]
        assert trio.current_time() == 3.0
    assert recorder.reasons == ["ping timeout"]


async def test_a_server_that_closes_answers_the_held_poll(
    recorder: Recorder, autojump_clock: MockClock
) -> None:
    bodies: list[bytes] = []
    async with open_wire(engine(), recorder) as wire:
        session = await wire.handshake()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(hold, session, bodies)
            await wait_all_tasks_blocked()
            await wire.engine.aclose()
        assert await session.poller.receive_rest() == b""
        assert await session.poster.receive_rest() == b""
    assert bodies == [b"1:1"]
    assert recorder.reasons == ["server shutting down"]
