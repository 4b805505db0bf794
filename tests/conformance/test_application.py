"""What a server lacks of the application is said before anything is judged."""

from typing import Literal

import pytest
import trio

import trio_sio
from tests.support.peers import served as serving
from trio_sio.conformance.command import main

NO_ANSWER = 'note: the server does not answer "echo"; most checks need the application'
OTHER_BEATS = "note: its pings have 60 s and 1 s, where the application has 1 s each"


@pytest.mark.parametrize("protocols", [(3,), (4,)], ids=["4", "5"])
@pytest.mark.parametrize(
    ("options", "events", "notes"),
    [
        ({}, ["echo"], []),
        ({}, [], [NO_ANSWER]),
        ({"ping_interval": 60}, ["echo"], [OTHER_BEATS]),
        ({"ping_interval": 60}, [], [NO_ANSWER, OTHER_BEATS]),
    ],
    ids=str,
)
async def test_what_another_application_lacks_is_said_at_once(
    protocols: tuple[int, ...],
    options: dict[str, float],
    events: list[str],
    notes: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    settings = {"ping_interval": 1, "ping_timeout": 1, **options}
    io = trio_sio.Server(protocols=protocols, **settings)  # type: ignore[arg-type]
    for event in events:
        io.on(event, lambda socket, *args: socket.emit("echo", *args))
    async with serving(io) as url:
        command = [url, "--only", "refusals/an-unknown-transport", "--patience", "0.5"]
        assert await trio.to_thread.run_sync(main, command) == 0
    said = capsys.readouterr().err.splitlines()
    assert [line.startswith("trio-sio conformance: ") for line in said] == [True] * len(notes)
    assert all(note in line for note, line in zip(notes, said, strict=True))


@pytest.mark.parametrize(("served", "asked"), [(3, 5), (4, 4)])
async def test_another_protocol_is_named(
    served: Literal[3, 4], asked: int, capsys: pytest.CaptureFixture[str]
) -> None:
    async with serving(trio_sio.Server(protocols=[served])) as url:
        command = [url, "--only", "handshake/ids", "--protocol", str(asked), "--patience", "0.5"]
        assert await trio.to_thread.run_sync(main, command) == 1
    other = served + 1
    note = (
        f"no client of protocol {asked} gets in, but one of {other} does, whom --protocol {other}"
    )
    assert note in capsys.readouterr().err


async def test_of_who_lets_nobody_in_nothing_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    async with serving(trio_sio.Server(path="/elsewhere")) as url:
        command = [url, "--only", "handshake/ids", "--patience", "0.5"]
        assert await trio.to_thread.run_sync(main, command) == 1
    assert capsys.readouterr().err == ""
