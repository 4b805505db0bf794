"""Asks the clients of this server for another one, which waits for their answers."""

from contextlib import ExitStack

import trio

from trio_sio.abc import Target
from trio_sio.adapters.cluster.told import MAX_STATEMENT
from trio_sio.adapters.cluster.v8.post import Post
from trio_sio.adapters.memory import MemoryAdapter
from trio_sio.logs.shown import quoted
from trio_sio.protocol.cluster.v8.request import Request
from trio_sio.protocol.cluster.v8.response import encode_answer, encode_count, encode_departed
from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.packet import JSON


class _Survey:
    """The answers of clients of this server, on their way to another one.

    Args:
        timeout: seconds for which that waits.

    Attributes:
        timeout: the same.
        given: answers that have not been sent on.
        departed: clients that have left, and have not been told of.
    """

    def __init__(self, timeout: float) -> None:
        self.timeout = timeout
        self._asked = 0
        self.given: list[list[JSON]] = []
        self.departed = 0
        self._owed = 0
        self._changed = trio.Event()

    def expect(self, *names: str) -> None:
        self._asked += len(names)
        self._owed += len(names)

    def take(self, name: str, args: list[JSON]) -> None:
        self._owed -= 1
        self.given.append(args)
        self._changed.set()

    def drop(self, *names: str) -> None:
        self._owed -= len(names)
        self.departed += len(names)
        self._changed.set()

    def give_up(self, *names: str) -> None:
        self._owed -= len(names)

    def begin(self) -> int:
        """Return how many are asked; volatile events skip those that cannot take them."""
        self._asked -= self.departed
        self.departed = 0
        return self._asked

    async def next(self) -> tuple[list[list[JSON]], int] | None:
        """Wait for answers and departures; return them, `None` if there will be no more."""
        while not self.given and not self.departed:
            if not self._owed:
                return None
            await self._changed.wait()
            self._changed = trio.Event()
        news = self.given, self.departed
        self.given, self.departed = [], 0
        return news


class Surveyor:
    """Asks the clients of this server for others.

    Args:
        local: the sockets of this server.
        post: reaches the other servers.
    """

    def __init__(self, local: MemoryAdapter, post: Post) -> None:
        self._local = local
        self._post = post

    def ask(self, request: Request, target: Target) -> None:
        """Ask now, so that other events do not overtake it; tell what comes of it, later."""
        assert request.packet is not None
        survey = _Survey(request.manner.timeout or self._post.timeout)
        with ExitStack() as stack:
            stack.enter_context(self._local.ask(request.packet, target, survey))
            asked = survey.begin()
            self._post.respond_nowait(encode_count(request.id, asked, self._post.broker.uid))
            if asked:
                held = stack.pop_all()
                if not self._post.member.start(self._tell, request, survey, held):
                    held.close()

    async def _tell(self, request: Request, survey: _Survey, held: ExitStack) -> None:
        with held, trio.move_on_after(survey.timeout):
            while news := await survey.next():
                given, departed = news
                for args in given:
                    await self._tell_answer(request, args)
                if departed and request.departures:
                    uid = self._post.broker.uid
                    await self._post.respond(encode_departed(request.id, departed, uid))

    async def _tell_answer(self, request: Request, args: list[JSON]) -> None:
        try:
            payload = encode_answer(request.id, args, self._post.broker.uid)
            problem = f"{len(payload)} bytes" if len(payload) > MAX_STATEMENT else ""
        except LocalProtocolError as error:  # a client can say what MessagePack cannot
            problem = str(error)
        if problem:
            text = "an answer of a client in %s for another server was dropped: %s"
            self._post.member.tell("answer", text, quoted(self._post.channels.namespace), problem)
            return
        await self._post.respond(payload)
