"""Every example runs: programs as they are, with real clients; files of tests with pytest."""

import hashlib
import os
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgpack
import pytest
import trio

from tests.end_to_end.browser import Browser, Page
from tests.end_to_end.conftest import browser as browser, chromium_address as chromium_address
from tests.support.peers import DEADLINE, ENGINE, MODERN, PYTHON_5, peer
from tests.support.prometheus import prometheus
from tests.support.raw import raw
from tests.support.redis_server import RedisServer, redis_server as redis_server

pytestmark = pytest.mark.slow


ROOT = Path(__file__).parents[1]
EXAMPLES = ROOT / "examples"
LAUNCHER = Path(__file__).with_name("examples") / "on_a_free_port.py"

node = pytest.mark.node
redis = pytest.mark.redis


class Program:
    """A running example."""

    def __init__(self, process: trio.Process) -> None:
        self.process = process
        self.url = ""
        self._rest = b""

    async def line(self) -> str:
        """Return the next line that it prints."""
        assert self.process.stdout is not None
        with trio.fail_after(DEADLINE):
            while b"\n" not in self._rest:
                data = await self.process.stdout.receive_some()
                assert data, f"it ended after {self._rest!r}"
                self._rest += data
        line, _, self._rest = self._rest.partition(b"\n")
        return line.decode()


@asynccontextmanager
async def program(
    name: str, *, may_log_traceback: bool = False, **environment: str
) -> AsyncIterator[Program]:
    """The example as a process; whatever its clients do, it must not end in a traceback."""
    run_process = partial(
        trio.run_process,
        [sys.executable, str(LAUNCHER), str(EXAMPLES / f"{name}.py")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        check=False,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **environment},
    )
    async with trio.open_nursery() as nursery:
        process: trio.Process = await nursery.start(run_process)
        example = Program(process)
        example.url = f"http://127.0.0.1:{await example.line()}"
        yield example
        process.kill()
        assert process.stderr is not None
        complaints = b"".join([data async for data in process.stderr])
        assert may_log_traceback or b"Traceback" not in complaints, complaints.decode()


def run_pytest(name: str) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    subprocess.run([*command, str(EXAMPLES / f"{name}.py")], check=True, cwd=ROOT, timeout=300)


async def stops_without_complaint(example: Program, end: signal.Signals) -> None:
    """It ends with exit code 0; `program` looks for tracebacks."""
    example.process.send_signal(end)
    with trio.fail_after(DEADLINE):
        assert await example.process.wait() == 0


def test_every_example_has_a_test() -> None:
    there = {path.relative_to(EXAMPLES).with_suffix("") for path in EXAMPLES.rglob("*.py")}
    # `tests/test_ported.py` compares those of `ported` with each other; the servers of
    # `conformance` run in `tests/conformance/test_servers.py`, its rest and `kit` in
    # `tests/examples`.
    elsewhere = ("ported", "conformance", "kit")
    names = {"_".join(path.parts) for path in there if path.parts[0] not in elsewhere} - {"demo"}
    assert {name for name in names if f"test_{name}" not in globals()} == set()


@node
async def test_hello() -> None:
    async with program("hello") as example, peer() as process:
        assert await example.line() == f"Listening on {example.url}"
        anna = await process.connect(example.url, hear=["said"])
        ben = await process.connect(example.url, hear=["said"], transports=["polling"])
        await anna.emit("say", "größer \U0001f600")
        assert await ben.hear("said") == await anna.hear("said") == ["größer \U0001f600"]
        await stops_without_complaint(example, signal.SIGINT)


@pytest.mark.chromium
@pytest.mark.parametrize("name", ["hello", "chat/names", "chat/rooms"])
async def test_the_pages_of_the_tutorial(browser: Browser, name: str) -> None:
    async with program(name) as example:
        anna, ben = [await browser.open(example.url) for _ in range(2)]
        if name != "hello":
            for page, who in ((anna, "Anna"), (ben, "Ben")):
                await page.wait('input[placeholder="Your name"]')
                await page.enter("input", who)
                await page.wait('input[placeholder^="Say something"]')
        if name == "chat/rooms":
            for page in (anna, ben):
                await page.wait('#people:has-text("lobby: Anna")')  # the answer to "enter"
        await anna.enter("input", "größer \U0001f600")
        said = "größer \U0001f600" if name == "hello" else "Anna: größer \U0001f600"
        for page in (anna, ben):
            await page.wait(f'li:text-is("{said}")')
            assert await page.complaints() == []


@node
async def test_chat_names() -> None:
    async with program("chat/names") as example, peer() as process:
        anna, ben = [await process.connect(example.url, hear=["said", "note"]) for _ in range(2)]
        assert await anna.call("enter", "Anna") == [{"name": "Anna"}]
        assert await ben.hear("note") == ["Anna is here."]
        assert await ben.call("enter", "Anna") == [{"error": "There is a Anna already."}]
        assert await ben.call("enter", 7) == [{"error": "A name has 1 to 20 characters."}]
        await ben.emit("say", "too early")
        assert await ben.call("enter", "Ben") == [{"name": "Ben"}]
        await ben.emit("say", "hello")
        assert await anna.hear("said") == ["Ben", "hello"]
        assert await anna.hear("note") == ["Ben is here."]
        await ben.close()
        assert await anna.hear("note") == ["Ben has left."]
        await stops_without_complaint(example, signal.SIGINT)


@node
async def test_chat_rooms() -> None:
    async with program("chat/rooms") as example, peer() as process:
        nobody = await process.open(example.url)
        assert await nobody.hear("error") == ["A name has 1 to 20 characters."]
        hear = ["said", "note"]
        anna, ben = [
            await process.connect(f"{example.url}?name={name}", hear=hear)
            for name in ("Anna", "Ben")
        ]
        assert await anna.call("enter", "kitchen") == [{"people": ["Anna"]}]
        assert await ben.call("enter", "kitchen") == [{"people": ["Anna", "Ben"]}]
        assert await anna.hear("note") == ["Ben came in."]
        await ben.emit("say", "Soup is ready.")
        assert await anna.hear("said") == ["Ben", "Soup is ready."]
        assert await ben.call("enter", []) == [{"error": "A room's name has 1 to 20 characters."}]
        await ben.call("enter", "garden")
        assert await anna.hear("note") == ["Ben went away."]
        await anna.close()
        await stops_without_complaint(example, signal.SIGINT)


@pytest.mark.slow
def test_chat_test_rooms() -> None:
    run_pytest("chat/test_rooms")


@node
async def test_binary() -> None:
    async with program("binary") as example, peer() as process:
        anna = await process.connect(example.url)
        ben = await process.connect(example.url, hear=["picture"], transports=["polling"])
        content = bytes(range(256))
        (answer,) = await anna.call("picture", "sunset.png", content)
        assert answer == {"sha256": hashlib.sha256(content).digest()}
        assert await ben.hear("picture") == [{"name": "sunset.png", "content": content}]
        assert await anna.call("picture", "sunset.png", 7) == [{"error": "send the file itself"}]


@node
async def test_errors() -> None:
    async with program("errors", may_log_traceback=True) as example, peer() as process:
        assert await example.line() == f"Listening on {example.url}"
        client = await process.connect(example.url, hear=["failed"], transports=["websocket"])
        await client.emit("divide", 1, 0)
        assert await client.hear("failed") == ["ZeroDivisionError"]
        assert await client.call("divide", 1, 4) == [0.25]
        assert await client.call("buy", "pear") == [{"error": "we have no pear"}]
        assert await client.call("buy", "apple") == [{"price": 1.25}]
        await client.close()
        assert await example.line() == "client namespace disconnect | no more is known"
        async with raw(example.url) as wire:
            polling = await wire.polling()
            await polling.post(b"4:42{}")  # an event without a name
            assert await example.line() == "forced close | invalid payload: EVENT with a dict"


@pytest.mark.slow
async def test_slow_clients() -> None:
    async with program("slow_clients") as example, raw(example.url) as wire:
        polling = await wire.polling()  # and it does not poll again, for a while
        assert await example.line() == "is behind"
        while b"summary" not in (await polling.get())[1]:
            pass
        assert await example.line() == "has caught up"


@node
async def test_deployment() -> None:
    async with program("deployment", METRICS_TOKEN="secret") as example, peer() as process:
        scraper = {"Authorization": "Bearer secret"}
        headers = {"Origin": "https://shop.example"}
        client = await process.connect(example.url, extraHeaders=headers)
        async with raw(example.url) as wire:
            assert b"trio_sio_sessions 1.0" in (await wire.get("/metrics", scraper)).body
            assert (await wire.get("/metrics")).status == 401
            assert (await wire.get("/elsewhere")).status == 404
            await client.order("call", 1000, "order", "tea")
            received = b'trio_sio_events_in_total{namespace="/"} 1.0'
            while received not in (await wire.get("/metrics", scraper)).body:
                pass
        example.process.send_signal(signal.SIGTERM)
        assert await client.hear("answer 1000") == [{"ordered": "tea"}]
        with trio.fail_after(DEADLINE):
            assert await example.process.wait() == 0


@node
async def test_declared_events() -> None:
    async with program("declared_events") as example, peer() as process:
        buyer = await process.connect(example.url, hear=["sold"])
        assert await buyer.call("price", "apple") == [1.5]
        await buyer.emit("buy", "apple")
        assert await buyer.hear("sold") == ["apple", 1]


@node
async def test_checked_arguments() -> None:
    async with program("checked_arguments") as example, peer() as process:
        guest = await process.connect(example.url)
        assert await guest.call("order", {"drink": "tea", "cups": 2}, "hot") == [3]
        assert await guest.call("picture", b"\x00\xff") == [2]
        assert await guest.call("anything", [1]) == ["list"]
        await guest.emit("order", {"drink": "tea", "cups": "2"})
        reason = "argument 1: Expected `int`, got `str` - at `$.cups`"
        assert await guest.hear("error") == [reason]
        await guest.emit("picture", "AP8=")
        assert await guest.hear("error") == ["argument 1: Expected `bytes`, got `str`"]
        assert await guest.call("order", {"drink": "coffee"}) == [1.5]


@node
async def test_values() -> None:
    async with program("values") as example, peer() as process:
        client = await process.connect(example.url, hear=["sold"])
        assert await client.call("buy", "L") == ["19.90"]
        assert await client.hear("sold") == [
            {
                "shirt": {
                    "id": "00000000-0000-0000-0000-000000000007",
                    "size": "L",
                    "price": "19.90",
                    "tags": ["cotton", "red"],
                },
                "at": "2026-03-01T12:00:00.000Z",
            },
            b"\x01\x02\x03",
        ]


@node
async def test_tracing() -> None:
    async with program("tracing", may_log_traceback=True) as example, peer() as process:
        client = await process.connect(example.url)
        assert await client.call("order", "tea", 5) == [20]
        await client.emit("order", "tea", 0)
        lines = [await example.line() for _ in range(5)]
    assert lines[0].startswith("Listening on ")
    assert lines[1:] == [
        *("look up: UNSET", "process / order: UNSET"),
        *("look up: UNSET", "process / order: ERROR"),
    ]


@node
async def test_acknowledgements() -> None:
    async with program("acknowledgements") as example, peer() as process:
        answers: dict[str, list[object] | None] = {"your move?": [{"e2": "e4"}]}
        player = await process.connect(example.url, answers=answers, hear=["too slow"])
        watcher = await process.connect(example.url, hear=["moved"])
        assert await player.call("add", 1, 2) == [3]
        assert await player.call("divide", 7, 2) == [3, 1]
        await player.emit("start game")
        assert await player.hear("your move?") == [{"board": []}]
        assert await watcher.hear("moved") == [{"e2": "e4"}]

        leaver = await process.connect(example.url, hear=["your move?"])
        await leaver.emit("start game")
        await leaver.hear("your move?")
        await leaver.close()  # in place of an answer
        assert await watcher.call("add", 0.5, 0.25) == [0.75]


@node
async def test_handlers_as_methods() -> None:
    async with program("handlers_as_methods") as example, peer() as process:
        hear = ["chat message", "left"]
        anna, ben = [await process.connect(f"{example.url}/chat", hear=hear) for _ in range(2)]
        await anna.emit("name", "Anna")
        await anna.emit("chat message", "hello")
        assert await anna.hear("chat message") == ["Anna", "hello"]
        assert await ben.hear("chat message") == ["Anna", "hello"]
        assert await ben.call("sing", "la") == ["there is no event 'sing'"]
        await anna.close()
        assert await ben.hear("left") == ["Anna"]


@node
async def test_votes() -> None:
    async with program("votes") as example, peer() as process, peer(MODERN["4.8"]) as modern:
        old = await process.connect(example.url, answers={"vote": ["yes"]}, hear=["dismissed"])
        new = await modern.connect(example.url, answers={"vote": ["no"]}, hear=["dismissed"])
        for person in (old, new):
            await person.emit("join", "red")
        assert await new.call("first of", "nobody", "?") == []
        counted = {"votes": {"yes": 1, "no": 1}, "silent": 0}
        assert await old.call("vote on", "red", "lunch?") == [counted]
        assert (await new.call("first of", "red", "tea?"))[0] in ("yes", "no")
        await old.emit("dismiss", "red")
        assert await old.hear("dismissed") == await new.hear("dismissed") == ["red"]
        assert await old.call("vote on", "red", "there?") == [{"votes": {}, "silent": 0}]


@node
async def test_rooms() -> None:
    async with program("rooms") as example, peer() as process:
        hear = ["joined", "left", "whisper", "position"]
        people = [await process.connect(example.url, hear=hear) for _ in range(3)]
        anna, ben, carl = people
        (anna_id,) = (await anna.call("join", "red"))[0]
        assert len((await ben.call("join", "blue"))[0]) == 1
        both = (await carl.call("join", "red"))[0]
        assert len(both) == 2
        assert both == sorted(both)
        (carl_id,) = await anna.hear("joined")
        assert set(both) == {anna_id, carl_id}

        await ben.emit("whisper", carl_id, "psst")
        ben_id, text = await carl.hear("whisper")
        assert text == "psst"

        await carl.call("join", "spectators")
        await anna.call("position", 3, 4)
        assert await anna.hear("position") == [anna_id, 3, 4]
        assert await ben.hear("position") == [anna_id, 3, 4]

        await anna.call("leave", "red")
        assert await carl.hear("left") == [anna_id]
        await ben.call("join", "red")
        assert await carl.hear("joined") == [ben_id]
        await ben.close()
        assert await carl.hear("left") == [ben_id]
        assert [person.unheard("position") for person in people] == [0, 0, 0]


@node
async def test_middleware() -> None:
    async with program("middleware") as example, peer() as process:
        admin = f"{example.url}/admin"
        stranger = await process.open(admin, query={"token": "wrong"})
        assert await stranger.hear("error") == ["Authentication error"]
        anna = await process.connect(admin, query={"token": "s3cret"}, hear=["said"])
        await anna.emit("say", "LOUD")
        assert await anna.hear("error") == ["please do not shout"]
        await anna.emit("say", "quietly")
        assert await anna.hear("said") == ["anna", "quietly"]
        assert stranger.unheard("connect") == 0


@node
async def test_dynamic_namespaces() -> None:
    async with program("dynamic_namespaces") as example, peer() as process:
        hear = ["someone came", "draw"]
        one, two = [await process.connect(f"{example.url}/board-1", hear=hear) for _ in range(2)]
        other = await process.connect(f"{example.url}/board-2", hear=hear)
        names = [(await one.hear("someone came"))[0].partition("#")[0] for _ in range(2)]
        assert names == ["/board-1", "/board-1"]
        await other.emit("draw", [[0, 0], [5, 5]])
        await one.emit("draw", [[1, 1], [2, 2]])
        assert await two.hear("draw") == [[[1, 1], [2, 2]]]
        assert other.unheard("draw") == 0

        tenant = f"{example.url}/tenant/acme"
        nowhere = await process.open(f"{example.url}/tenant/nobody?token=s3cret")
        assert await nowhere.hear("error") == ["Invalid namespace"]
        inside = await process.connect(f"{tenant}?token=s3cret", hear=["welcome"])
        assert await inside.hear("welcome") == ["/tenant/acme"]
        outside = await process.open(f"{tenant}?token=wrong")
        assert await outside.hear("error") == ["Authentication error"]


@node
async def test_background_work() -> None:
    async with program("background_work") as example, peer() as process:
        assert await example.line() == f"Listening on {example.url}"
        client = await process.open(example.url, hear=["price"])
        (name,) = await client.hear("connect")
        await client.order("call", 1000, "report", 2026)
        assert await client.call("watch", "TRIO") == [100.0]  # does not wait for the report
        assert client.unheard("answer 1000") == 0
        assert [await client.hear("price") for _ in range(2)] == [["TRIO", 100.25], ["TRIO", 100.5]]
        assert await client.hear("answer 1000") == [{"year": 2026}]
        await client.close()
        assert await example.line() == f"{name} left: client namespace disconnect"


@node
async def test_threads() -> None:
    async with program("threads") as example, peer() as process:
        hear = ["converted", "done", "typing", "reading"]
        anna, ben = [await process.open(example.url, hear=hear) for _ in range(2)]
        for client in (anna, ben):
            await client.hear("connect")
        assert await anna.call("count primes", 100) == [25]
        await ben.emit("typing")
        (name,) = await anna.hear("typing")
        assert await ben.call("convert", ["a", "b"]) == []
        assert [await ben.hear("converted") for _ in range(2)] == [["A", 1], ["B", 2]]
        assert await ben.hear("done") == await anna.hear("done") == [name]
        await anna.emit("measure", 21.5)
        assert await anna.hear("reading") == [21.5]
        assert ben.unheard("reading") == 0


@node
@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
async def test_graceful_shutdown(end: signal.Signals) -> None:
    async with program("graceful_shutdown") as example, peer() as process:
        assert await example.line() == "listening on 3000"
        hear = ["going away"]
        clients = [
            await process.connect(example.url, hear=hear, transports=[transport])
            for transport in ("polling", "websocket")
        ]
        example.process.send_signal(end)
        for client in clients:
            assert await client.hear("going away") == []
            assert (await client.hear("disconnect"))[0] in ("transport close", "transport error")
        with trio.fail_after(DEADLINE):
            assert await example.process.wait() == 0


@pytest.mark.chromium
async def test_admin(browser: Browser) -> None:
    async with program("admin", ADMIN_TOKEN="right") as example:
        assert (await example.line()).endswith("/admin/ with the token right")
        page = await browser.open(f"{example.url}/admin/")
        await page.wait('.state:text-is("You may not see this.")')
        await page.enter("input[name=token]", "wrong")
        await page.wait('.state:text-is("You may not see this.")')
        await page.enter("input[name=token]", "right")
        tell = 'form[data-action="Tell everybody"]'
        await page.do("click", f"{tell} button")
        await page.wait(f'{tell} output:text-is("1 clients have been told.")')
        await page.do("click", 'form[data-action="Hold the event loop"] button')
        await page.do("click", 'dialog button:text-is("Hold the event loop")')
        await page.wait('section[aria-label^=Limits] th:has-text("hold")')
        assert await page.complaints() == []


@node
async def test_workers() -> None:
    async with program("workers") as example, peer() as process:
        options = {"transports": ["websocket"]}
        clients = [await process.connect(example.url, **options) for _ in range(20)]
        answers = [(await client.call("which"))[0] for client in clients]
        assert {answer["worker"] for answer in answers} == {"w1", "w2"}
        assert len({answer["process"] for answer in answers}) == 2
        await stops_without_complaint(example, signal.SIGTERM)
        for client in clients:
            assert await client.hear("disconnect") == ["transport close"]


@node
async def test_engine_echo() -> None:
    async with program("engine_echo") as example, peer(ENGINE) as process:
        for transports in (["polling", "websocket"], ["websocket"], ["polling"]):
            client = process.add_client()
            await client.order("engine", example.url, {"transports": transports})
            await client.hear("open")
            for data in ("text \U0001f600", b"\x00\x04bytes", b""):
                await client.order("send", data)
                assert await client.hear("message") == [data]


@node
async def test_from_javascript() -> None:
    async with program("from_javascript") as example, peer() as process:
        nobody = await process.open(example.url)
        assert await nobody.hear("error") == ["who are you?"]
        hear = ["came", "went", "answered"]
        answers: dict[str, list[object] | None] = {"question": ["blue"]}
        anna = await process.connect(f"{example.url}?name=anna", hear=hear, answers=answers)
        ben = await process.connect(f"{example.url}?name=ben", hear=hear)
        assert await anna.hear("came") == ["ben"]
        assert await anna.call("guess", 41) == [False]
        assert await anna.call("guess", 42) == [True]
        await anna.emit("ask", "which colour?")
        assert await anna.hear("question") == ["which colour?"]
        assert await anna.hear("answered") == await ben.hear("answered") == ["blue"]
        await ben.close()
        assert await anna.hear("went") == ["ben", "client namespace disconnect"]

        one, two, other = [
            await process.connect(f"{example.url}/team-{number}?name=eve", hear=["cheer"])
            for number in (1, 1, 22)
        ]
        await one.emit("cheer")
        assert await one.hear("cheer") == await two.hear("cheer") == []
        assert other.unheard("cheer") == 0


@node
async def test_from_python_socketio() -> None:
    async with program("from_python_socketio") as example, peer() as process:
        nobody = await process.open(example.url)
        assert await nobody.hear("error") == ["no user"]
        hear = ["reminder", "said", "left"]
        anna = await process.open(f"{example.url}?user=anna", hear=hear)
        (anna_id,) = await anna.hear("connect")
        assert await anna.hear("reminder") == ["be", "kind"]
        ben = await process.open(f"{example.url}?user=ben", hear=hear)
        (ben_id,) = await ben.hear("connect")
        assert await anna.call("enter", "tea") == [[anna_id]]
        assert await ben.call("enter", "tea") == [sorted([anna_id, ben_id])]
        await anna.emit("say", "tea", "hello")
        assert await ben.hear("said") == ["anna", "hello"]
        admin = await process.connect(f"{example.url}/admin?user=root")
        await admin.emit("kick", ben_id)
        assert await ben.hear("disconnect") == ["io server disconnect"]
        assert await anna.hear("left") == ["ben"]
        assert anna.unheard("said") == 0


@node
@pytest.mark.parametrize("way", [{}, {"transports": ["polling"]}, {"transports": ["websocket"]}])
async def test_from_socketio_4(way: dict[str, Any]) -> None:
    async with (
        program("from_socketio_4") as example,
        peer(MODERN["4.8"]) as process,
        peer() as process_2,
    ):
        nobody = await process.open(example.url, auth={"token": "guessed"}, **way)
        (error,) = await nobody.hear("connect_error")
        assert error == "who are you?"
        hear = ["came", "went", "said", "cheer"]
        answers: dict[str, list[object] | None] = {"question": ["blue"]}
        anna, ben = [
            await process.connect(
                example.url, auth={"token": f"token of {name}"}, hear=hear, answers=more, **way
            )
            for name, more in (("Anna", answers), ("Ben", None))
        ]
        assert await anna.hear("came") == ["Ben"]
        nobody = await process_2.open(f"{example.url}?token=guessed", hear=hear)
        assert await nobody.hear("error") == [{"code": 401}]
        old = await process_2.connect(f"{example.url}?token=token%20of%20Olga", hear=hear)
        assert await anna.hear("came") == await ben.hear("came") == ["Olga"]
        assert await anna.call("guess", 41) == [False]
        assert await anna.call("guess", 42) == [True]
        assert await anna.call("ask", "which colour?") == ["blue"]
        assert await ben.call("ask", "which colour?") == ["no answer"]
        if way != {"transports": ["polling"]}:  # who may miss it
            await ben.emit("say", "größer", b"\x00\xff")
            assert await anna.hear("said") == ["größer", b"\x00\xff"]
        await ben.emit("leave")
        assert await ben.hear("disconnect") == ["io server disconnect", None]
        for hearer in (anna, old):
            assert await hearer.hear("went") == ["Ben", "server namespace disconnect"]

        one, two = [
            await process.connect(f"{example.url}/team-1", auth={"team": "1"}, hear=hear, **way)
            for _ in range(2)
        ]
        other = await process.open(f"{example.url}/team-2", auth={"team": "1"}, **way)
        assert await other.hear("connect_error") == ["Invalid namespace"]
        three = await process_2.connect(
            f"{example.url}/team-1?team=1&token=token%20of%20Olga", hear=hear
        )
        await one.emit("cheer")
        for hearer in (one, two, three):
            assert await hearer.hear("cheer") == []


@node
@pytest.mark.python_socketio_5
@pytest.mark.parametrize("way", [{}, {"transports": ["polling"]}, {"transports": ["websocket"]}])
async def test_from_python_socketio_5(way: dict[str, Any]) -> None:
    async with (
        program("from_python_socketio_5") as example,
        peer(PYTHON_5) as python,
        peer(MODERN["4.8"]) as javascript,
    ):
        nobody = await python.open(example.url, auth={"token": "guessed"}, **way)
        assert await nobody.hear("connect_error") == [{"message": "no user", "data": {"code": 401}}]
        hear = ["reminder", "said", "left"]
        answers: dict[str, list[object] | None] = {"question": ["blue"]}
        anna = await python.open(
            example.url, auth={"token": "token of Anna"}, hear=hear, answers=answers, **way
        )
        await anna.hear("connect")
        assert await anna.hear("reminder") == ["be", "kind"]
        ben = await javascript.open(
            example.url, auth={"token": "token of Ben"}, hear=hear, answers={}, **way
        )
        (ben_id,) = await ben.hear("connect")
        assert await anna.call("enter", "tea") == [["tea"]]
        assert await ben.call("enter", "tea") == [["tea"]]
        await anna.emit("say", "tea", "größer", b"\x00\xff")
        assert await ben.hear("said") == ["Anna", "größer", b"\x00\xff"]
        await ben.emit("say", "tea", "größer", b"\x00\xff")
        assert await anna.hear("said") == ["Ben", "größer", b"\x00\xff"]
        assert await anna.call("ask", "which colour?") == ["blue"]
        assert await ben.call("ask", "which colour?") == ["no answer"]
        admin = await javascript.connect(f"{example.url}/admin", **way)
        await admin.emit("kick", ben_id)
        assert (await ben.hear("disconnect"))[0] == "io server disconnect"
        assert await anna.hear("left") == ["Ben"]


@pytest.mark.slow
def test_testing_with_memory_clients() -> None:
    run_pytest("testing_with_memory_clients")


def test_testing_with_faults() -> None:
    run_pytest("testing_with_faults")


@pytest.mark.slow
def test_testing_a_cluster() -> None:
    run_pytest("testing_a_cluster")


@pytest.mark.slow
def test_state_machine() -> None:
    run_pytest("state_machine")


@pytest.mark.slow
def test_property_tests() -> None:
    run_pytest("property_tests")


def neighbours(folder: Path) -> set[Path]:
    return set(folder.glob("*.sock"))


def leave_garbage(folder: Path) -> None:
    """Send what is no message, and leave the socket of a server that has died."""
    garbage = (b"", b"\xc1", msgpack.packb([1]), msgpack.packb(["/", 7, [], [], [], 0]))
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as stranger:
        for neighbour in neighbours(folder):
            for message in garbage:
                stranger.sendto(message, str(neighbour))
        stranger.bind(str(folder / "0.sock"))


@node
async def test_own_adapter(tmp_path: Path) -> None:
    here = str(tmp_path)
    async with (
        program("own_adapter", NEIGHBOURS=here) as one,
        program("own_adapter", NEIGHBOURS=here) as two,
        peer() as process,
    ):
        anna, ben = [await process.connect(each.url, hear=["said"]) for each in (one, two)]
        for client in (anna, ben):
            await client.call("join", "tea")
        leave_garbage(tmp_path)
        await anna.emit("say", "tea", "größer")
        assert await ben.hear("said") == ["größer"]
        assert len(neighbours(tmp_path)) == 2
        await ben.emit("say", "tea", "größer still")
        await ben.emit("say", "nobody", "is here")
        await ben.emit("say", "tea", "after all")
        assert [await anna.hear("said") for _ in range(2)] == [["größer still"], ["after all"]]
        assert anna.unheard("said") == ben.unheard("said") == 0
        two.process.kill()
        await two.process.wait()
        await anna.emit("say", "tea", "anybody?")
        await anna.call("join", "tea")
        assert len(neighbours(tmp_path)) == 1


def test_own_adapter_is_an_adapter_for_the_type_checker() -> None:
    """Also where everything has to have a type, and not only as the other examples are checked."""
    program = [sys.executable, "-m", "mypy", "--strict", "examples/own_adapter.py"]
    checked = subprocess.run(program, check=False, cwd=ROOT, capture_output=True, text=True)
    assert checked.stdout == "Success: no issues found in 1 source file\n"


@node
@redis
async def test_cluster_chat(redis_server: RedisServer) -> None:
    async with chat(redis_server) as one, chat(redis_server) as two, peer() as process:
        hear = ["came", "said"]
        anna, ben, carl = [
            await process.open(example.url, hear=hear) for example in (one, two, two)
        ]
        anna_id, ben_id, carl_id = [(await each.hear("connect"))[0] for each in (anna, ben, carl)]
        assert await anna.call("enter", "tea") == [{"people": [anna_id], "complete": True}]
        people = sorted([anna_id, ben_id])
        assert await ben.call("enter", "tea") == [{"people": people, "complete": True}]
        assert await anna.hear("came") == [ben_id]
        await ben.emit("say", "tea", "It is ready.")
        assert await anna.hear("said") == await ben.hear("said") == ["It is ready."]
        assert await anna.call("invite", carl_id, "tea") == [{}]
        await anna.emit("say", "tea", "Come, Carl.")
        assert await carl.hear("said") == ["Come, Carl."]
        assert await ben.call("count") == [3]
        assert await ben.call("invite", "nobody", "tea") == [{"error": "nobody has that id"}]


def chat(redis_server: RedisServer) -> AbstractAsyncContextManager[Program]:
    return program("cluster/chat", REDIS_URL=redis_server.url)


@node
@redis
async def test_cluster_servers(redis_server: RedisServer) -> None:
    def servers() -> AbstractAsyncContextManager[Program]:
        return program("cluster/servers", REDIS_URL=redis_server.url)

    async with servers() as one, servers() as two, peer() as process:
        anna, ben = [await process.open(example.url) for example in (one, two)]
        for each in (anna, ben):
            await each.hear("connect")
        assert await anna.call("count") == await ben.call("count") == [2]
        await anna.emit("set price", "tea", 3)
        assert await anna.call("price", "tea") == [3]
        assert await ben.call("count") == [2]  # what the other server has said before has come
        assert await ben.call("price", "tea") == [3]


async def emits(name: str, redis_server: RedisServer, *, to_all: bool) -> None:
    """The program tells a room of "/" and another namespace something, or everybody, too."""
    async with chat(redis_server) as example, peer() as process:
        hear = ["said", "news"]
        anna, ben = [await process.connect(example.url, hear=hear) for _ in range(2)]
        await anna.call("enter", "tea")
        with redis_server.client.pubsub() as admin:  # type: ignore[no-untyped-call]
            admin.subscribe("socket.io#/admin#")
            assert admin.get_message(timeout=DEADLINE)["type"] == "subscribe"
            await trio.run_process(
                [sys.executable, str(EXAMPLES / f"{name}.py")],
                env={**os.environ, "PYTHONPATH": str(ROOT), "REDIS_URL": redis_server.url},
            )
            assert await anna.hear("said") == ["Tea is ready."]
            message = admin.get_message(timeout=DEADLINE)
            assert msgpack.unpackb(message["data"])[1]["data"] == ["done", {"cups": 4}]
        if to_all:
            assert await anna.hear("news") == await ben.hear("news") == ["The kettle is on."]
        assert await ben.call("count") == [2]
        assert ben.unheard("said") == ben.unheard("news") == 0


@node
@redis
async def test_cluster_emit(redis_server: RedisServer) -> None:
    await emits("cluster/emit", redis_server, to_all=True)


@node
@redis
async def test_cluster_emit_sync(redis_server: RedisServer) -> None:
    await emits("cluster/emit_sync", redis_server, to_all=False)


@node
@redis
async def test_cluster_operation(redis_server: RedisServer) -> None:
    example = program("cluster/operation", REDIS_URL=redis_server.url)
    async with example as server, peer() as process, raw(server.url) as wire:
        client = await process.connect(server.url, hear=["reload"])

        async def answers(path: str, status: int, text: bytes) -> None:
            with trio.fail_after(DEADLINE):
                while True:
                    answer = await wire.get(path)
                    if answer.status == status and text in answer.body:
                        return
                    await trio.sleep(0.05)

        await answers("/ready", 200, b"ready")
        await answers("/metrics", 200, b"trio_sio_adapter_healthy 1.0")
        redis_server.kill()
        await answers("/ready", 503, b"Redis")
        await answers("/metrics", 200, b"trio_sio_adapter_healthy 0.0")
        redis_server.restart()
        await client.hear("reload")
        await answers("/ready", 200, b"ready")
        await answers("/metrics", 200, b"trio_sio_adapter_gaps_total 1.0")
        server.process.send_signal(signal.SIGTERM)
        await client.hear("disconnect")
        with trio.fail_after(DEADLINE):
            assert await server.process.wait() == 0


@node
async def test_metrics_operator_port() -> None:
    async with program("metrics/operator_port") as example, peer() as process:
        client = await process.connect(example.url)
        assert await client.call("order", "tea") == [{"ordered": "tea"}]
        name, _, port = (await example.line()).partition(": ")
        assert name == "9464"
        async with raw(f"http://127.0.0.1:{port}") as wire:
            body = (await wire.get("/metrics")).body
            assert b"trio_sio_sessions 1.0" in body
            assert b'trio_sio_events_in_total{namespace="/"} 1.0' in body
        async with raw(example.url) as wire:
            assert (await wire.get("/metrics")).status == 404


@node
@pytest.mark.prometheus
async def test_metrics_workers() -> None:
    async with program("metrics/workers") as example, peer() as process:
        options = {"transports": ["websocket"]}
        clients = [await process.connect(example.url, **options) for _ in range(10)]
        answers = [(await client.call("which"))[0] for client in clients]
        assert set(answers) == {"w1", "w2"}
        told = dict([(await example.line()).split(": ") for _ in range(2)])
        assert told.keys() == {"9464", "9465"}
        ports = {"w1": told["9464"], "w2": told["9465"]}
        async with prometheus([int(port) for port in ports.values()]) as scraper:
            await scraper.wait("sum(trio_sio_events_in_total) == 10")
            found = await scraper.ask("sum by (instance) (trio_sio_events_in_total)")
            assert {one.labels["instance"]: one.value for one in found} == {
                f"127.0.0.1:{port}": answers.count(worker) for worker, port in ports.items()
            }


# -- whole applications ------------------------------------------------------------------------


async def _log_in(page: Page, user: str, password: str) -> None:
    await page.do("fill", "#login [name=user]", user)
    await page.enter("#login [name=password]", password)


@pytest.mark.chromium
async def test_applications_rest_in_a_browser(browser: Browser) -> None:
    async with program("applications/rest") as example:
        anna, ben = [await browser.open(example.url) for _ in range(2)]
        for page in (anna, ben):
            await page.wait('#state:text-is("connected")')
        await anna.enter("input", "tea")
        await anna.wait('#state:text-is("ordered")')
        for page in (anna, ben):
            await page.wait('li:text-is("tea")')
        async with raw(example.url) as wire:  # any other program may order
            await wire.request("POST", "/orders", body=b'{"item": "<b>scones</b>"}')
        for page in (anna, ben):
            await page.wait('li:text-is("<b>scones</b>")')
            assert await page.complaints() == []
        late = await browser.open(example.url)
        await late.wait('li:text-is("<b>scones</b>")')
        assert await late.do("count", "li") == 2


@pytest.mark.chromium
async def test_applications_under_hypercorn_in_a_browser(browser: Browser) -> None:
    async with program("applications/under_hypercorn") as example:
        page = await browser.open(example.url)
        await page.wait('#state:text-is("connected")')
        await page.do("click", "button")
        await page.wait('#state:text-is("Hello, Ada!")')
        async with raw(example.url) as wire:
            assert (await wire.get("/count")).body == b"1 are here\n"
            await wire.request("POST", "/news/tea")
        await page.wait('li:text-is("tea")')
        assert await page.complaints() == []
        example.process.send_signal(signal.SIGTERM)
        await page.wait('#state:text-is("disconnected")')
        with trio.fail_after(DEADLINE):
            assert await example.process.wait() == 0


@node
async def test_applications_rest() -> None:
    async with program("applications/rest") as example, peer() as process:
        client = await process.connect(example.url, hear=["orders", "order"])
        assert await client.hear("orders") == [[]]
        async with raw(example.url) as wire:
            answer = await wire.request("POST", "/orders", body=b'{"item": "tea"}')
            assert (answer.status, answer.body) == (201, b'{"item":"tea"}')
            assert (await wire.get("/orders")).body == b'[{"item":"tea"}]'
            assert (await wire.get("/nothing")).status == 404
        assert await client.hear("order") == [{"item": "tea"}]


@node
async def test_applications_under_hypercorn() -> None:
    async with program("applications/under_hypercorn") as example, peer() as process:
        client = await process.connect(example.url, hear=["news", "disconnect"], reconnection=False)
        assert await client.call("greet", "Ada") == ["Hello, Ada!"]
        async with raw(example.url) as wire:
            assert (await wire.get("/count")).body == b"1 are here\n"
            assert (await wire.request("POST", "/news/tea")).status == 204
        assert await client.hear("news") == ["tea"]
        example.process.send_signal(signal.SIGTERM)
        assert await client.hear("disconnect") == ["transport close"]
        with trio.fail_after(DEADLINE):
            assert await example.process.wait() == 0


@pytest.mark.chromium
async def test_applications_private(browser: Browser) -> None:
    async with program("applications/private") as example:
        anna, spy = [await browser.open(example.url) for _ in range(2)]
        await _log_in(spy, "anna", "guessed")
        await spy.wait('#state:text-is("wrong name or password")')
        await _log_in(spy, "nobody", "")
        await spy.wait('#state:text-is("wrong name or password")')
        await _log_in(spy, "ben", "green")
        await spy.wait('#state:text-is("welcome, ben")')

        await _log_in(anna, "anna", "blue")
        await anna.wait('#state:text-is("welcome, anna")')
        await anna.enter("#note", "buy a present for Ben")
        await anna.wait('li:text-is("buy a present for Ben")')
        await anna.do("click", "#renew")
        await anna.wait('#state:text-is("3 s more")')
        await anna.wait('#state:text-is("your time is up")')
        assert await spy.do("count", "li") == 0


@node
async def test_applications_private_refuses() -> None:
    async with program("applications/private") as example, peer() as process:
        async with raw(example.url) as wire:
            form = b'{"user": "ben", "password": "green"}'
            answer = await wire.request("POST", "/login", body=form)
            token = answer.body.decode()
            assert (answer.status, token[:4]) == (200, "ben.")
            for bad in (b"", b"7", b'{"user": "ben"}'):
                assert (await wire.request("POST", "/login", body=bad)).status == 400
        ben = f"{example.url}/private/ben"
        client = await process.connect(ben, query={"token": token}, hear=["welcome", "expired"])
        assert await client.hear("welcome") == ["ben"]
        for namespace, other, why in (
            ("ben", "", "this token is not ours"),
            ("ben", token.replace("ben.", "ben.9"), "this token is not ours"),
            ("anna", token, "this token is somebody else's"),
        ):
            url = f"{example.url}/private/{namespace}"
            refused = await process.open(url, query={"token": other})
            assert await refused.hear("error") == [why]
        assert await client.call("renew", token + "0") == [{"error": "this token is not ours"}]
        assert await client.hear("expired") == []
        assert await client.hear("disconnect") == ["io server disconnect"]
        late = await process.open(ben, query={"token": token})
        assert await late.hear("error") == ["this token has expired"]


@pytest.mark.chromium
async def test_applications_upload(browser: Browser, tmp_path: Path) -> None:
    content = os.urandom(300_000)
    (tmp_path / "picture.raw").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    async with program("applications/upload") as example:
        anna, ben = [await browser.open(example.url) for _ in range(2)]
        await anna.do("choose", "input", str(tmp_path / "picture.raw"))
        await anna.wait(f'#state:text-is("uploaded, SHA-256 {digest}")')
        await ben.wait(f'li:text-is("picture.raw: done, {digest}")')
        for page in (anna, ben):
            assert await page.complaints() == []


@node
async def test_applications_upload_refuses() -> None:
    async with program("applications/upload") as example, peer() as process:
        client = await process.connect(example.url, hear=["progress", "uploaded"])
        for name, size in (("a", 0), ("a", 10**9), (7, 1), ("a", "1")):
            (answer,) = await client.call("begin", name, size)
            assert answer == {"error": "a file has a name and up to 50,000,000 bytes"}
        nothing = [{"error": "this piece belongs to no file"}]
        assert await client.call("piece", b"1") == nothing
        assert await client.call("begin", "../../etc/passwd", 4) == [{"piece": 65_536}]
        assert await client.call("begin", "b", 4) == [{"error": "one file after the other"}]
        assert await client.call("piece", "text") == nothing
        assert await client.call("piece", b"12345") == nothing
        assert await client.call("piece", b"12") == [{"done": 2}]
        assert await client.hear("progress") == ["1", "../../etc/passwd", 50]
        sha256 = hashlib.sha256(b"1234").hexdigest()
        assert await client.call("piece", b"34") == [{"done": 4, "sha256": sha256}]
        assert await client.hear("uploaded") == ["1", "../../etc/passwd", sha256]
