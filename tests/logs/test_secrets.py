"""No secret of a client comes into the log, whatever is refused, fails or ends, at any level.

But `trio_sio.wire` shows packets, to whoever asks for them.
"""

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.examples import examples
from trio_sio.testing.wire import WireClient, open_wire
from trio_sio.testing.wire_websocket import BINARY, TEXT, frame_bytes, handshake_headers

SECRET = "Tq7Zk9Xw3Vb5Nm1Lp8Rd"
SECRETS = (SECRET, SECRET[::-1])
"""The client's, and its session id, which is as good as a password."""

HEADS = (
    "GET /socket.io/?EIO=3&transport=polling&token={0} HTTP/1.1",
    "GET /socket.io/?EIO=5&transport=polling&token={0} HTTP/1.1",
    "GET /socket.io/?EIO={0}&transport={0}&t={0}&sid={0} HTTP/1.1",
    "GET /socket.io/?transport={0} HTTP/1.1",
    "POST /socket.io/?EIO=3&transport=polling&sid={0} HTTP/1.1",
    "POST /socket.io/?EIO=3&transport=polling&{0}={0} HTTP/1.1",
    "GET /elsewhere?transport=polling&token={0} HTTP/1.1",
    "GET /fallback?token={0} HTTP/1.1",
    "GET /socket.io/?transport=websocket&" + "{0}&" * 1000 + " HTTP/1.1",
    "GET /socket.io/?EIO=3&transport=polling&a=?{0}#{0} HTTP/1.1",
    "PUT /socket.io/?EIO=3&transport=polling&sid={0} HTTP/1.1",
    "G{{T /socket.io/?token={0} HTTP/1.1",
    "GET /socket.io/?token={0} HTTP/9.9",
)
UPGRADE = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: "
FIELDS = (
    "Cookie: io={0}; other={0}",
    "Authorization: Bearer {0}",
    "X-Token: {0}",
    "X-Token : {0}",
    "X Token: {0}",
    "{0}",
    "X-Token: {0}\0",
    "Referer: http://a.example/?token={0}",
    "Origin: http://a.example/{0}",
    "Origin: {0}",
    "Content-Length: {0}",
    "Transfer-Encoding: {0}",
    UPGRADE + "{0}",
    UPGRADE + "13\r\nSec-WebSocket-Key: {0}",
    "X: " + "{0}" * 200,
)
PACKETS = (
    '42["echo","{0}"]',
    '42["fails","{0}"]',
    '42["unsendable","{0}"]',
    '42["nobody listens",{{"token":"{0}"}}]',
    '42["disconnect","{0}"]',
    '42/nowhere?token={0},["echo"]',
    "40/nowhere?token={0},",
    "40/guarded?token={0},",
    "40/broken?token={0},",
    '44"{0}"',
    "4{0}",
    '42{{"{0}":1}}',
    '42[["{0}"],1]',
    '42["echo",{0}]',
    '45{0}-["echo"]',
    '451-["echo",{{"_placeholder":true,"num":"{0}"}}]',
    '40["{0}"]',
    '41"{0}"',
    '43["{0}"]',
    "43{0}",
    "2{0}",
    "{0}",
    '451-/nowhere?token={0},["echo",{{"_placeholder":true,"num":0}}]',
)


class Records(logging.Handler):
    """All that is logged, as an operator reads it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(levelname)s %(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(self.format(record))


@contextmanager
def listening() -> Iterator[list[str]]:
    """Yield the lines that are logged meanwhile, at every level, but for the packets."""
    records = Records()
    ours, wire = logging.getLogger("trio_sio"), logging.getLogger("trio_sio.wire")
    level, propagate = ours.level, wire.propagate
    ours.setLevel(logging.DEBUG)
    wire.propagate = False
    ours.addHandler(records)
    try:
        yield records.lines
    finally:
        ours.removeHandler(records)
        ours.setLevel(level)
        wire.propagate = propagate


def make_server() -> trio_sio.Server:
    async def fallback(request: trio_sio.Request) -> trio_sio.Response:
        raise LookupError("the fallback fails")

    io = trio_sio.Server(
        origins=["http://ours.example"],
        fallback=fallback,
        generate_id=lambda request: SECRETS[1],
        max_header_size=3000,
        handshake_buffer_size=4000,
        max_events_per_second=3,
        on_flood="drop",
    )

    @io.on("echo")
    async def echo(socket: trio_sio.Socket, *args: object) -> object:
        return args

    @io.on("fails")
    async def fails(socket: trio_sio.Socket, *args: object) -> None:
        raise LookupError("a mistake of the application's")

    @io.on("unsendable")
    async def unsendable(socket: trio_sio.Socket, *args: object) -> None:
        await socket.emit("news", *args, object())

    @io.of("/guarded").use
    async def guard(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("no")

    @io.of("/broken").use
    async def broken(socket: trio_sio.Socket) -> None:
        raise LookupError("broken")

    return io


async def ask(wire: WireClient, head: str, fields: Sequence[str], body: str) -> None:
    """Send a request, whatever it is, and do not care for the answer."""
    connection = wire.connect()
    lines = [head, "Host: wire", *fields]
    data = "\r\n".join(lines) + "\r\n\r\n" + body
    await connection.send(data.format(SECRET).encode())
    await wait_all_tasks_blocked()
    await connection.aclose()


async def say(wire: WireClient, packets: Sequence[str], raw: bool) -> None:
    """Send packets by a WebSocket, and leave."""
    fields = {"Origin": "http://ours.example", "Cookie": f"token={SECRET}"}
    connection = wire.connect()
    target = f"/socket.io/?EIO=3&transport=websocket&token={SECRET}"
    await connection.send_request("GET", target, handshake_headers(fields))
    kind = BINARY if raw else TEXT
    for packet in packets:
        await connection.send(frame_bytes(kind, packet.format(SECRET).encode()))
        await wait_all_tasks_blocked()
    await connection.aclose()
    await wait_all_tasks_blocked()


def logged(act: Callable[[WireClient], object]) -> list[str]:
    async def main() -> None:
        async with open_wire(make_server()) as wire:
            await act(wire)  # type: ignore[misc]  # it is async

    with listening() as lines:
        trio.run(main, clock=MockClock(autojump_threshold=0))
    return lines


@given(
    head=st.sampled_from(HEADS),
    fields=st.lists(st.sampled_from(FIELDS), max_size=3),
    body=st.sampled_from(["", SECRET, "x" * 5000]),
)
@examples(150)
def test_of_a_request(head: str, fields: list[str], body: str) -> None:
    lines = logged(lambda wire: ask(wire, head, fields, body))
    assert [line for line in lines if any(secret in line for secret in SECRETS)] == []


@given(
    packets=st.lists(st.sampled_from(PACKETS), min_size=1, max_size=6),
    raw=st.sampled_from([False, False, True]),
)
@examples(150)
def test_of_a_session(packets: list[str], raw: bool) -> None:
    lines = logged(lambda wire: say(wire, packets, raw))
    assert [line for line in lines if any(secret in line for secret in SECRETS)] == []


@pytest.mark.parametrize("packet", PACKETS)
def test_each_packet_alone(packet: str) -> None:
    lines = logged(lambda wire: say(wire, [packet], raw=False))
    assert [line for line in lines if any(secret in line for secret in SECRETS)] == []


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("field", FIELDS)
def test_each_request_alone(head: str, field: str) -> None:
    lines = logged(lambda wire: ask(wire, head, [field], ""))
    assert [line for line in lines if any(secret in line for secret in SECRETS)] == []


def test_there_are_lines_to_look_at() -> None:
    lines = logged(
        lambda wire: say(wire, ['42["fails","{0}"]', "40/nowhere?token={0},"], raw=False)
    )
    assert any("LookupError: a mistake" in line for line in lines)
    assert any("asked for the namespace '/nowhere'" in line for line in lines)
    lines = logged(lambda wire: ask(wire, HEADS[1], [FIELDS[0]], ""))
    assert any("refused GET /socket.io/?EIO=5&transport=polling&…" in line for line in lines)


HOSTILE = "\n\r\x1b[2J\x85\u2028\u202e"


@pytest.mark.parametrize("where", ["path", "namespace", "event"])
def test_no_line_is_forged(where: str) -> None:
    encoded = json.dumps(HOSTILE, ensure_ascii=False)[1:-1].replace("{", "{{")

    async def act(wire: WireClient) -> None:
        if where == "path":
            path = "/a\x85\u202e?transport=polling"
            await ask(wire, f"GET {path} HTTP/1.1", [], "")
        elif where == "namespace":
            await say(wire, [f"40/{HOSTILE},"], raw=False)
        else:
            await say(wire, [f'42["x{encoded}"]', f'42["fails"]/{encoded}'], raw=False)

    for line in logged(act):
        head = line.partition("\nTraceback")[0]
        assert head.isprintable(), head
