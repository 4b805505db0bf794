"""Scripts are played to a real server, and what clients hear is the same each time."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

import trio_sio
from tests.support.peers import served
from trio_sio.conformance.comparison.player import Observation, play
from trio_sio.conformance.target import Target
from trio_sio.testing.scripts import (
    ASKED,
    SID,
    Frame,
    Leave,
    Post,
    Probe,
    Request,
    Script,
    Send,
    Step,
    Upgrade,
)
from trio_sio.testing.strategies.vocabulary import SAYS_4, SAYS_5

POLL = f"EIO=3&transport=polling&sid={SID}"
PROBE = f"EIO=3&transport=websocket&sid={SID}"


@asynccontextmanager
async def target(protocol: int = 4) -> AsyncIterator[Target]:
    io = trio_sio.Server(max_http_buffer_size=1000)
    for name in ("/", "/chat"):
        namespace = io.of(name)

        @namespace.on("ack")
        async def ack(socket: trio_sio.Socket, *args: object) -> tuple[object, ...]:
            return args

        @namespace.on("echo")
        async def echo(socket: trio_sio.Socket, *args: object) -> None:
            await socket.emit("echo", *args)

        @namespace.on("ask")
        async def ask(socket: trio_sio.Socket) -> None:
            async def answered(*answer: object) -> None:
                await socket.emit("answered", *answer)

            await socket.emit("question", ack=answered)

    async with served(io) as url:
        yield Target.parse(url, protocol=protocol)


async def heard(how: str, *steps: Step, protocol: int = 4) -> list[Observation]:
    """What one client hears after each step."""
    async with target(protocol) as server:
        return (await play(server, Script((how,) if how else (), steps)))[1:]


@pytest.mark.parametrize("how", SAYS_4.transports)
async def test_what_a_client_hears(how: str) -> None:
    steps = (
        Send(0, ("40/chat", '42["echo","\u20ac"]', '42["nobody hears"]')),
        Send(0, ('42/chat,1["ack",2]', '451-["echo",{"_placeholder":true,"num":0}]', b"\x04\xff")),
        Send(0, ('42["ask"]',)),
        Send(0, (f"43{ASKED}[1]",)),
        Send(0, ("2", "41/chat")),
    )
    attachment = '42["echo",{"_placeholder":true,"num":0}]'.replace("42", "451-")
    binary = "b4/w==" if how == "websocket-base64" else r"b'\x04\xff'"
    assert await heard(how, *steps) == [
        {"0": {"/chat": ["40/chat,"], "/": ['42["echo","\u20ac"]']}},
        {"0": {"/": [attachment, binary], "acks": ["43/chat,1[2]"]}},
        {"0": {"/": ['42#["question"]']}},
        {"0": {"/": ['42["answered",1]']}},
        {"0": {"engine": ["3"]}},
    ]


@pytest.mark.parametrize("how", SAYS_5.transports)
async def test_what_a_client_of_protocol_5_hears(how: str) -> None:
    steps = (
        Send(0, ("40", "40/chat,", "40/nobody,")),
        Send(0, ('42/chat,1["ack",2]', '451-["echo",{"_placeholder":true,"num":0}]', b"\xff")),
        Send(0, ('42["ask"]',)),
        Send(0, (f"43{ASKED}[1]",)),
        Send(0, ("41/chat", "40/chat,")),
        Send(0, ("2",)),
    )
    attachment = '42["echo",{"_placeholder":true,"num":0}]'.replace("42", "451-")
    binary = "b/w==" if how == "websocket-base64" else r"b'\xff'"
    end = "CLOSE" if how.startswith("polling") else "close frame, no code"
    assert await heard(how, *steps, protocol=5) == [
        {
            "0": {
                "/": ['40{"sid":"<id>"}'],
                "/chat": ['40/chat,{"sid":"<id>"}'],
                "/nobody": ['44/nobody,{"message":"Invalid namespace"}'],
            }
        },
        {"0": {"/": [attachment, binary], "acks": ["43/chat,1[2]"]}},
        {"0": {"/": ['42#["question"]']}},
        {"0": {"/": ['42["answered",1]']}},
        {"0": {"/chat": ['40/chat,{"sid":"<id>"}']}},
        {"0": {"end": [end]}},
    ]


async def test_who_has_joined_nothing_is_heard_in_protocol_5() -> None:
    upgrade, request = Upgrade(0), Request("GET", "EIO=4&transport=polling&sid=unknown")
    first, second = await heard("polling", upgrade, request, protocol=5)
    assert first == {"others": {"responses": ["a probe is answered '3probe'"]}}
    assert second["others"]["responses"][0] == "status 400"


async def test_a_body_that_is_no_payload() -> None:
    assert await heard("polling", Post(0, b"what")) == [{"0": {"end": ["CLOSE"]}}]


async def test_frames() -> None:
    ping, unmasked = Frame(0, 9, b"x"), Frame(0, 1, b"2", masked=False)
    assert await heard("websocket", ping, unmasked) == [
        {"0": {"engine": ["a pong frame with b'x'"]}},
        {"0": {"end": ["close frame, code 1002"]}},
    ]


async def test_a_request_without_a_session() -> None:
    (one,) = await heard("", Request("GET", "EIO=3&transport=polling"))
    assert one["others"]["responses"][-1].startswith('96:0{"sid":"<new>","upgrades"')


async def test_a_second_poll() -> None:
    (one,) = await heard("polling", Request("GET", POLL))
    assert one["0"] == {"end": ["CLOSE"]}
    assert one["others"]["responses"][0] == "status 500"


async def test_a_probe() -> None:
    (one,) = await heard("polling", Probe(PROBE, ("2probe",)))
    assert one["others"]["responses"][-1] == "engine by WebSocket: 3probe"


async def test_a_websocket_that_is_refused() -> None:
    (one,) = await heard("", Probe("EIO=3&transport=websocket&sid=unknown"))
    assert one["others"]["responses"][0] == "status 400"


async def test_an_upgrade() -> None:
    upgrade = Upgrade(0, ('42["echo",1]',))
    first, second = await heard("polling", upgrade, Send(0, ('42["echo",2]',)))
    assert first == {
        "0": {"/": ['42["echo",1]']},
        "others": {"responses": ["a probe is answered '3probe'"]},
    }
    assert second == {"0": {"/": ['42["echo",2]']}}


@pytest.mark.parametrize("protocol", [4, 5])
async def test_an_upgrade_beside_another_one(protocol: int) -> None:
    """It comes to nothing, and the client goes on by polling."""
    probe = Probe(f"EIO={protocol - 1}&transport=websocket&sid={SID}", ("2probe",))
    begin = Send(0, ("40",) if protocol == 5 else ("2",))
    *_, upgraded, after = await heard(
        "polling", begin, probe, Upgrade(0), Send(0, ('42["echo",2]',)), protocol=protocol
    )
    assert upgraded == {"others": {"responses": ["a probe is closed"]}}
    assert after == {"0": {"/": ['42["echo",2]']}}


async def test_who_has_left_does_nothing_more() -> None:
    steps = (Leave(0), Send(0, ("2",)))
    assert await heard("websocket", *steps) == [{"0": {"end": ["the client left"]}}]


async def test_two_clients() -> None:
    async with target() as server:
        script = Script(("websocket", "polling"), (Leave(0), Send(1, ('42["echo"]',))))
        assert (await play(server, script))[1:] == [
            {"0": {"end": ["the client left"]}},
            {"1": {"/": ['42["echo"]']}},
        ]
