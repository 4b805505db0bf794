"""What type checkers find in handlers: one without a socket, or with another kind of reason."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

# A line that is wrong says which error mypy has to report there.
HANDLERS = """
import re

from trio_sio import DisconnectReason, Namespace, ParentNamespace, Server, Socket

io = Server()
chat: Namespace = io.of("/chat")
rooms: ParentNamespace = io.of(re.compile("/room-.*"))


# -- right --------------------------------------------------------------------


@io.on("connection")
async def welcome(socket: Socket) -> None:
    @socket.on("disconnect")
    async def goodbye(reason: DisconnectReason) -> None: ...

    @socket.on("disconnecting")
    def leaving(reason: str) -> None: ...  # a reason is a str

    @socket.on("error")
    def failed(error: Exception) -> None: ...

    @socket.on("guess", ack=True)
    async def guess(number: int, *rest: object) -> bool:
        return number == 42

    @socket.on_backlog
    def slow(is_behind: bool) -> None: ...

    socket.on("disconnect", goodbye)
    socket.once("error", failed)
    socket.on("guess", guess, concurrent=True)
    socket.on("anything", print)
    socket.once("disconnect", lambda reason: print(reason.value))
    socket.nsp.on("connection", welcome)


@io.on("disconnect")
async def goodbye(socket: Socket, reason: DisconnectReason) -> None: ...


@chat.on("disconnecting")
def leaving(socket: Socket, reason: DisconnectReason) -> None: ...


@rooms.on("error")
def failed(socket: Socket, error: Exception) -> None: ...


@io.on("news")
async def news(socket: Socket, text: str, number: int = 0) -> tuple[str, int]:
    return text, number


@io.event
async def say(socket: Socket, text: str) -> None: ...


@io.use
@chat.use
@rooms.use
async def check(socket: Socket) -> None: ...


@io.on_backlog
def slow(socket: Socket, is_behind: bool) -> None: ...


@io.on("disconnect")
@chat.on("disconnecting")
async def gone(socket: Socket) -> None: ...


@io.on("*")
async def anything(socket: Socket, event: str, *args: object) -> None: ...


class Listener:
    def connected(self, socket: Socket) -> None: ...

    def __call__(self, socket: Socket, *args: object) -> None: ...


for one in (io, chat, rooms):
    one.on("connection", welcome)
    one.once("connect", Listener().connected)
    one.on("disconnect", goodbye)
    one.on("disconnect", gone)
    one.once("disconnecting", leaving)
    one.on("error", failed)
    one.on("news", news, ack=True)
    one.on("news", Listener())
    one.on("echo", lambda socket, *args: args)
    one.on(str(one), goodbye)


@io.on("untyped")
def untyped(socket, text):  # type: ignore[no-untyped-def]
    return text




# -- wrong --------------------------------------------------------------------


@io.on("connection")  # E: type-var
async def no_socket() -> None: ...


@io.on("connection")  # E: type-var
async def too_much(socket: Socket, reason: str) -> None: ...


@io.on("disconnect")  # E: type-var
async def reason_alone(reason: DisconnectReason) -> None: ...


@chat.on("disconnect")  # E: type-var
def wrong_reason(socket: Socket, reason: int) -> None: ...


@rooms.on("error")  # E: type-var
def wrong_error(socket: Socket, error: str) -> None: ...


@io.on("news")  # E: type-var
def no_socket_of_news() -> None: ...


@io.event  # E: type-var
def wrong_socket(socket: int) -> None: ...


@io.use  # E: type-var
def middleware() -> None: ...


@rooms.use  # E: type-var
def javascript(socket: Socket, call_next: object) -> None: ...


@io.on_backlog  # E: type-var
def own_backlog(is_behind: bool) -> None: ...


io.on("connection", no_socket)  # E: type-var
chat.on("disconnect", no_socket)  # E: type-var
rooms.once("error", no_socket)  # E: type-var
io.on("news", no_socket)  # E: type-var
io.on("connection", too_much)  # E: deprecated
io.on("disconnect", reason_alone)  # E: type-var
chat.once("disconnecting", wrong_reason)  # E: deprecated
rooms.on("error", wrong_error)  # E: deprecated
io.on(7, news)  # E: call-overload
io.on("news", "news")  # E: call-overload


@io.on("connection")
def connection(socket: Socket) -> None:
    @socket.on("disconnect")  # E: type-var
    def with_socket(socket: Socket, reason: DisconnectReason) -> None: ...

    @socket.on("disconnecting")  # E: type-var
    def reason_as_number(reason: int) -> None: ...

    @socket.on("error")  # E: type-var
    def with_text(error: str) -> None: ...

    @socket.on_backlog  # E: type-var
    def with_both(socket: Socket, is_behind: bool) -> None: ...

    socket.on("disconnect", with_socket)  # E: deprecated
    socket.once("error", with_text)  # E: deprecated
    socket.on("news", None)  # E: call-overload
"""


def errors_of(source: str, directory: Path) -> dict[int, str]:
    """Return the code of the error that mypy reports, by line."""
    path = directory / "handlers.py"
    path.write_text(source, "utf-8")
    cache = ROOT / ".mypy_cache" / "handlers"
    command = [sys.executable, "-m", "mypy", "--enable-error-code", "deprecated"]
    command += ["--cache-dir", str(cache), str(path)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)
    found = re.findall(r"handlers\.py:(\d+): error: .*\[([\w-]+)\]$", done.stdout, re.MULTILINE)
    return {int(line): code for line, code in found}


def test_mypy_finds_the_handlers_that_are_wrong(tmp_path: Path) -> None:
    expected = {
        number: match[1]
        for number, line in enumerate(HANDLERS.splitlines(), 1)
        if (match := re.search(r"# E: (\S+)", line))
    }
    assert len(expected) > 20
    assert errors_of(HANDLERS, tmp_path) == expected
