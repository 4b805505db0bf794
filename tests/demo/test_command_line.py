"""`python -m trio_sio` as a process: what it says, how it ends."""

import re
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import pytest
import trio

from tests.support.peers import DEADLINE
from trio_sio import __main__ as command_line

pytestmark = pytest.mark.slow


COMMAND = (sys.executable, "-m", "trio_sio")


@asynccontextmanager
async def demo(*options: str) -> AsyncIterator[tuple[trio.Process, int]]:
    """The running demo and its port."""
    async with trio.open_nursery() as nursery:
        run_process = partial(
            trio.run_process,
            [*COMMAND, "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            check=False,
        )
        process: trio.Process = await nursery.start(run_process)
        assert process.stdout is not None
        with trio.fail_after(DEADLINE):
            line = await receive_until(process.stdout, b"\n")
        match = re.fullmatch(rb"Listening on http://127\.0\.0\.1:(\d+)\n", line)
        assert match, line
        yield process, int(match[1])
        process.kill()


async def receive_until(stream: trio.abc.ReceiveStream, end: bytes) -> bytes:
    data = b""
    while not data.endswith(end):
        more = await stream.receive_some(1)
        assert more, f"ended after {data!r}"
        data += more
    return data


async def assert_ends_quietly(process: trio.Process, status: int = 0) -> None:
    """It ends, and has nothing to complain about; `test_demo_process.py` says how soon."""
    with trio.fail_after(DEADLINE):
        assert await process.wait() == status
    assert process.stderr is not None
    assert b"Traceback" not in await process.stderr.receive_some()


async def open_websocket(port: int, fields: str = "") -> trio.SocketStream:
    client = trio.socket.socket()
    # Small, so that what is not read soon stays with the server.
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    await client.connect(("127.0.0.1", port))
    stream = trio.SocketStream(client)
    await stream.send_all(
        b"GET /socket.io/?EIO=3&transport=websocket HTTP/1.1\r\nHost: localhost\r\n"
        b"Upgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        + fields.encode()
        + b"\r\n"
    )
    assert (await receive_until(stream, b"\r\n\r\n")).startswith(b"HTTP/1.1 101 ")
    return stream


def frame(payload: bytes, opcode: int = 1) -> bytes:
    """A client's frame; the mask of four zeros leaves the payload as it is."""
    length = len(payload)
    head = bytes([0x80 | opcode])
    if length < 126:
        return head + bytes([0x80 | length]) + bytes(4) + payload
    if length < 1 << 16:
        return head + b"\xfe" + length.to_bytes(2, "big") + bytes(4) + payload
    return head + b"\xff" + length.to_bytes(8, "big") + bytes(4) + payload


async def join(stream: trio.SocketStream) -> None:
    await stream.send_all(frame(b'421["join","lobby"]'))
    await receive_until(stream, b"431[")


async def share_image(stream: trio.SocketStream, size: int) -> None:
    image = b"\x89PNG\r\n\x1a\n" + bytes(size - 8)
    header = b'451-2["image",{"room":"lobby"},{"_placeholder":true,"num":0}]'
    await stream.send_all(frame(header) + frame(b"\x04" + image, opcode=2))
    await receive_until(stream, b"432[")


@asynccontextmanager
async def crowd(port: int) -> AsyncIterator[None]:
    """A hundred visitors; one of them has 6 MB of images to come and does not read."""
    async with AsyncExitStack() as stack:
        people = [await stack.enter_async_context(await open_websocket(port)) for _ in range(100)]
        reader, deaf, *_ = people
        for stream in (deaf, reader):
            await join(stream)
        for _ in range(3):
            await share_image(reader, 2_000_000)
        yield


@pytest.mark.parametrize("ws_engine", ["trio-websocket", "websockets"])
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_whoever_is_there(end: signal.Signals, ws_engine: str) -> None:
    async with demo("--ws-engine", ws_engine) as (process, port), crowd(port):
        process.send_signal(end)
        await assert_ends_quietly(process)


async def test_it_ends_without_visitors() -> None:
    async with demo() as (process, _port):
        process.terminate()
        await assert_ends_quietly(process)


async def test_a_second_signal_ends_it_without_a_word() -> None:
    async with demo() as (process, port), crowd(port):
        # Stopped meanwhile, so that it cannot have ended when the second one comes.
        for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
            process.send_signal(number)
        await assert_ends_quietly(process, status=130)


async def test_page() -> None:
    async with demo() as (_process, port):
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            await stream.send_all(b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await receive_until(stream, b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 200 ")
            await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert (await receive_until(stream, b"</html>")).startswith(b"HTTP/1.1 200 ")


def run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *options], check=False, capture_output=True, text=True, timeout=DEADLINE
    )


def test_a_used_port_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        done = run("--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    where = f"cannot listen on 127.0.0.1, port {port}"
    assert done.stderr == f"{where}: another program has the port; choose another one\n"


@pytest.mark.parametrize("host", ["203.0.113.1", "a..b", "no host"])
def test_a_bad_host_is_one_line(host: str) -> None:
    done = run("--host", host, "--port", "0")
    assert done.returncode == 1
    assert done.stdout == ""
    assert re.fullmatch(rf"cannot listen on {re.escape(host)}, port 0: .+\n", done.stderr)


@pytest.mark.parametrize(
    "options", [("--port", "65536"), ("--port", "x"), ("--nonsense",), ("--ws-engine", "x")]
)
def test_wrong_usage(options: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(options)
    assert ended.value.code == 2
    assert "usage: trio-sio" in capsys.readouterr().err


def test_help_names_the_other_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["--help"])
    assert ended.value.code == 0
    assert "fetch-client" in capsys.readouterr().out


def test_fetch_client_is_handed_on(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command_line.main(["fetch-client", "--help"])
    assert ended.value.code == 0
    assert "usage: trio-sio fetch-client" in capsys.readouterr().out


async def test_verbose_shows_where_it_listens_events_and_packets() -> None:
    async with demo("--verbose") as (process, port):
        stream = await open_websocket(port)
        await stream.send_all(frame(b"1"))
        assert process.stderr is not None
        with trio.fail_after(DEADLINE):
            text = (await receive_until(process.stderr, b"leaves '/': transport close\n")).decode()
        await stream.aclose()
        process.send_signal(signal.SIGTERM)
        await assert_ends_quietly(process)
    assert f"INFO trio_sio.engine: listening on http://127.0.0.1:{port}/socket.io\n" in text
    assert "websocket out MESSAGE 0\n" in text
    assert " joined '/'\n" in text
    assert "websocket in CLOSE" in text


async def next_line(process: trio.Process) -> str:
    """The line behind the addresses."""
    assert process.stdout is not None
    with trio.fail_after(DEADLINE):
        return (await receive_until(process.stdout, b"\n")).decode()


async def test_the_token_is_told_and_can_be_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    async with demo("--token", "chosen") as (process, port):
        assert await next_line(process) == (
            'Elsewhere than on this machine the view "Under the hood" asks for the token chosen\n'
        )
        assert await joins_the_view(port, "") == "0"
        assert await joins_the_view(port, "", "X-Forwarded-For: 203.0.113.7\r\n") == "4"
        assert await joins_the_view(port, "?token=chosen", "Origin: http://evil.test\r\n") == "0"
        process.terminate()
    monkeypatch.setenv("TRIO_SIO_TOKEN", "from the environment")
    options = command_line._parse([])
    assert options.token == "from the environment"


async def joins_the_view(port: int, query: str, fields: str = "") -> str:
    """Ask to join the view; return the type of the packet that answers."""
    stream = await open_websocket(port, fields)
    await stream.send_all(frame(f"40/admin{query},".encode()))
    answer = b""
    while (found := re.search(rb"4([04])/admin", answer)) is None:
        answer += await stream.receive_some()
    await stream.aclose()
    return found[1].decode()
