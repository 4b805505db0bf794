"""Programs that are only a server: where they listen, how they end, and with which status."""

import asyncio
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import trio

import trio_sio
from tests.support.peers import DEADLINE

HELLO = """
import trio_sio
io = trio_sio.Server({options})
{more}
trio_sio.run(io, {arguments})
print("after")
"""


@contextmanager
def program(
    tmp_path: Path, arguments: str = "port=0", *, options: str = "", more: str = ""
) -> Iterator[subprocess.Popen[str]]:
    """A program of its own, whose output can be read."""
    path = tmp_path / "program.py"
    path.write_text(HELLO.format(options=options, arguments=arguments, more=more), "utf-8")
    pipes = subprocess.PIPE
    command = [sys.executable, "-u", str(path)]
    with subprocess.Popen(command, stdout=pipes, stderr=pipes, text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def listening_port(process: subprocess.Popen[str]) -> int:
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("Listening on http"), line
    return int(line.rpartition(":")[2])


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_peace(number: signal.Signals, tmp_path: Path) -> None:
    with program(tmp_path) as process:
        port = listening_port(process)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
            assert client.recv(100).startswith(b"HTTP/1.1 200")
            process.send_signal(number)
            out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out, err) == (0, "after\n", "")


WAITS = """
import trio
@io.on("connection")
async def connection(socket):
    print("connected")

@io.on("disconnect")
async def gone(socket):
    print("waits")
    await trio.sleep_forever()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_second_signal_does_not_wait(number: signal.Signals, tmp_path: Path) -> None:
    with program(tmp_path, "port=0", options="grace=1000", more=WAITS) as process:
        assert process.stdout is not None
        port = listening_port(process)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
            assert process.stdout.readline() == "connected\n"
            process.send_signal(number)
            assert process.stdout.readline() == "waits\n"
            process.send_signal(number)
            _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (130, "")


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals")
def test_two_signals_at_the_same_time_do_not_wait(tmp_path: Path) -> None:
    with program(tmp_path, "port=0", options="grace=1000", more=WAITS) as process:
        assert process.stdout is not None
        port = listening_port(process)
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: x\r\n\r\n")
            assert process.stdout.readline() == "connected\n"
            for number in (signal.SIGSTOP, signal.SIGTERM, signal.SIGINT, signal.SIGCONT):
                process.send_signal(number)
            _, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, err) == (130, "")


def test_a_port_that_is_taken_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with program(tmp_path, f"port={port}") as process:
            out, err = process.communicate(timeout=DEADLINE)
    assert (process.returncode, out) == (1, "")
    where = f"cannot listen on 127.0.0.1, port {port}"
    assert err == f"{where}: another program has the port; choose another one\n"


def test_an_error_of_the_application_has_its_traceback_and_no_groups(tmp_path: Path) -> None:
    more = "async def beside():\n    raise ValueError('mine')"
    with program(tmp_path, "port=0, beside=beside", more=more) as process:
        _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 1
    assert err.endswith("ValueError: mine\n")
    assert "in beside" in err
    assert "Group" not in err
    assert err.count("Traceback") == 1


def test_two_errors_stay_together() -> None:
    async def beside() -> None:
        raise ExceptionGroup("both", [ValueError(), KeyError()])

    with pytest.raises(ExceptionGroup) as caught:
        trio_sio.run(trio_sio.Server(), 0, beside=beside)
    assert caught.group_contains(ValueError)
    assert caught.group_contains(KeyError)


@pytest.mark.skipif(os.name == "nt", reason="Windows cannot send these signals")
def test_it_says_where_it_listens(capsys: pytest.CaptureFixture[str]) -> None:
    story: list[str] = []

    async def beside() -> None:
        story.append("begun")
        try:
            while "Listening" not in (text := capsys.readouterr().out):
                await trio.lowlevel.checkpoint()
            story.append(text)
            os.kill(os.getpid(), signal.SIGTERM)
            await trio.sleep_forever()
        finally:
            story.append("ended")

    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    trio_sio.run(trio_sio.Server(), 0, ssl_context=context, beside=beside)
    begun, text, ended = story
    assert (begun, ended) == ("begun", "ended")
    assert text.startswith("Listening on https://127.0.0.1:")


# -- where a loop runs already -------------------------------------------------------------------


async def test_it_does_not_run_inside_of_trio() -> None:
    with pytest.raises(RuntimeError, match=r"Trio runs in this thread.*await io\.serve_tcp"):
        trio_sio.run(trio_sio.Server(), 0)


def test_it_does_not_run_inside_of_asyncio_as_in_a_notebook() -> None:
    async def cell() -> None:
        with pytest.raises(RuntimeError, match=r"asyncio runs in this thread.*notebook"):
            trio_sio.run(trio_sio.Server(), 0)

    asyncio.run(cell())
