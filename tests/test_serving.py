"""`trio_sio.run`: how a program that is only a server begins and ends."""

import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import pytest
import trio
import trustme

from tests.support.peers import DEADLINE
from tests.support.raw import raw
from trio_sio import serving

pytestmark = pytest.mark.slow

PROGRAM = """
import trio
import trio_sio

io = trio_sio.Server(raise_errors={raise_errors}, grace=30)

@io.on("fail")
async def fail(socket):
    raise ZeroDivisionError("as the client wished")

@io.on("disconnect")
async def leave(socket, reason):
    print("left:", reason, flush=True)
    await trio.sleep({farewell})

async def background():
    print("beside", flush=True)
    {background}

trio_sio.run(io, {port}, background=background)
print("went on", flush=True)
"""


class Program:
    """A running program."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self._rest = b""

    async def line(self) -> str:
        """Return the next line that it prints; "" if there is none."""
        assert self.process.stdout is not None
        with trio.fail_after(DEADLINE):
            while b"\n" not in self._rest:
                data = await self.process.stdout.receive_some()
                if not data:
                    break
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()

    async def end(self) -> tuple[int, str]:
        """Return its exit status, and what it said on standard error."""
        assert self.process.stderr is not None
        with trio.fail_after(DEADLINE):
            complaints = b"".join([data async for data in self.process.stderr])
            return await self.process.wait(), complaints.decode()


@asynccontextmanager
async def program(
    *,
    port: int = 0,
    farewell: float = 0,
    raise_errors: bool = False,
    background: str = "await trio.sleep_forever()",
) -> AsyncIterator[Program]:
    source = PROGRAM.format(
        port=port, farewell=farewell, raise_errors=raise_errors, background=background
    )
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", source]
    run_process = partial(trio.run_process, command, stdout=pipe, stderr=pipe, check=False)
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        yield Program(process)
        process.kill()


async def url_of(running: Program) -> str:
    """The URL that it prints, once what runs beside the server has begun."""
    lines = {await running.line(), await running.line()}
    (line,) = lines - {"beside"}
    assert line.startswith("Serving at http://127.0.0.1:")
    assert line.endswith(". Ctrl-C stops the server.")
    return line.split()[2].removesuffix(".")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_it_in_peace(end: signal.Signals) -> None:
    async with program() as running, raw(await url_of(running)) as wire:
        await wire.joined()
        running.process.send_signal(end)
        assert await running.line() == "left: server shutting down"
        assert await running.line() == "went on"
        assert await running.end() == (0, "")


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
async def test_a_second_signal_does_not_hurt(end: signal.Signals) -> None:
    async with program(farewell=0.5) as running, raw(await url_of(running)) as wire:
        await wire.joined()
        running.process.send_signal(end)
        assert await running.line() == "left: server shutting down"
        running.process.send_signal(end)
        assert await running.line() == "went on"
        assert await running.end() == (0, "")


async def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        async with program(port=port) as running:
            why = "the port is in use already; choose another one"
            assert await running.end() == (1, f"cannot listen on 127.0.0.1:{port}: {why}\n")


async def test_an_error_of_a_handler_that_ends_it() -> None:
    async with program(raise_errors=True) as running, raw(await url_of(running)) as wire:
        client = await wire.joined()
        await client.send('42["fail"]')
        status, complaint = await running.end()
        assert status == 1
        assert complaint.splitlines()[-1] == "ZeroDivisionError: as the client wished"
        assert "in fail\n" in complaint
        assert "Group" not in complaint


async def test_an_error_beside_the_server_ends_it() -> None:
    async with program(background="raise LookupError('beside')") as running:
        status, complaint = await running.end()
        assert status == 1
        assert complaint.splitlines()[-1] == "LookupError: beside"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:80"),
        ("::1", "http://[::1]:80"),
        ("0.0.0.0", "http://localhost:80 (and every other address of this machine)"),
        ("", "http://localhost:80 (and every other address of this machine)"),
    ],
)
def test_url(host: str, url: str) -> None:
    assert serving.url_of("http", host, 80) == url


async def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(serving.CannotListen, match=r"^cannot listen on a\.\.b:0: no such host$"):
        await serving.open_listeners("a..b", 0)


TLS = """
import ssl, sys, trio_sio
context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
context.load_cert_chain(sys.argv[1])
trio_sio.run(trio_sio.Server(), 0, ssl_context=context)
"""


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    path = tmp_path / "server.pem"
    issued = trustme.CA().issue_cert("127.0.0.1")
    issued.private_key_and_cert_chain_pem.write_to_path(path)
    return path


async def test_tls(certificate: Path) -> None:
    process = await trio.lowlevel.open_process(
        [sys.executable, "-c", TLS, str(certificate)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    running = Program(process)
    line = await running.line()
    assert line.startswith("Serving at https://127.0.0.1:")
    process.terminate()
    assert await running.end() == (0, "")
