"""The demo's application: a chat with rooms, private messages, images and live figures.

Each handler takes what a client sent, unchecked, and its return value is the client's
acknowledgement: an object with the result, or `{"error": sentence}`.

======== ======================= ==========================================================
event    arguments               what it does
======== ======================= ==========================================================
nick     name                    rename; a taken name gets a number
join     room                    enter; the answer has its people and last messages
leave    room                    leave
say      target, text            a message to `{"room": name}` or `{"person": id}`
image    target, bytes           an image to the same
typing   target                  "… is typing", volatile: lost rather than late
echo     anything                an empty answer at once, to measure the round trip
======== ======================= ==========================================================

The server sends `welcome`, `joined`, `left`, `gone`, `renamed`, `message`, `typing`, and each
second `figures`.
"""

import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import TypeAlias

import trio

import trio_sio
from trio_sio import JSON
from trio_sio.demo.hall import Card, Hall, Message, Person
from trio_sio.demo.hood.exhibits import EVENT_BURST, EVENTS_PER_SECOND
from trio_sio.demo.hood.premises import Premises
from trio_sio.demo.hood.view import Move, add_view
from trio_sio.demo.limits import Limits
from trio_sio.demo.neighbours import Neighbours, Reply
from trio_sio.demo.page import Page
from trio_sio.demo.words import Refusal, clean_target, clean_text, image_type
from trio_sio.options import TransportName, WSEngine
from trio_sio.server import AdapterFactory

Answer: TypeAlias = dict[str, object]
Handler: TypeAlias = Callable[..., Awaitable[Answer]]

# An image arrives as base64 on a polling transport, a third bigger than it is, with room to spare
# so that one which is too big gets our sentence and not a cut connection.
_MAX_HTTP_BUFFER_SIZE = 6_000_000


class Demo:
    """The server and its tables. Run `push_figures` beside `io.serve_tcp`.

    Args:
        limits: of the tables, unless there are `premises`.
        ws_engine: the library that speaks WebSocket.
        adapter: connects servers.
        is_alone: whether there is no other process. Workers share a port without a proxy that would
            keep polling clients with their worker, so visitors have WebSockets only then.
        premises: the tables, and what else the servers of this process share.
        name: what the view "Under the hood" calls this server.
        move: has another server take over.
    """

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        ws_engine: WSEngine = "auto",
        adapter: AdapterFactory | None = None,
        is_alone: bool | None = None,
        premises: Premises | None = None,
        name: str = "",
        move: Move | None = None,
    ) -> None:
        if is_alone is None:
            is_alone = adapter is None
        transports: list[TransportName] = ["polling", "websocket"] if is_alone else ["websocket"]
        premises = premises or Premises(Hall(limits or Limits()))
        self.hall = premises.hall
        self.limits = self.hall.limits
        self._messages = 0  # since the last figures
        self._events = 0
        self._figures: Reply = self._take_figures(1)
        self.io = trio_sio.Server(
            fallback=Page(transports),
            transports=transports,
            adapter=adapter,
            ws_engine=ws_engine,
            max_http_buffer_size=_MAX_HTTP_BUFFER_SIZE,
            max_events_per_second=EVENTS_PER_SECOND,
            event_burst=EVENT_BURST,
            grace=0.5,
        )
        add_view(self.io, premises, name, move)
        self.neighbours = Neighbours(self.io.sockets.adapter, self.hall, lambda: self._figures)
        self.io.on("connection", self._enter)
        self.io.on("disconnecting", self._part)
        self.io.on("echo", self._echo)
        self._answer("nick", 1, self._nick)
        self._answer("join", 1, self._join)
        self._answer("leave", 1, self._leave)
        self._answer("say", 2, self._say)
        self._answer("image", 2, self._image)
        self._answer("typing", 1, self._typing)

    async def push_figures(self) -> None:
        """Tell everybody, once a second, how the server is doing. Never returns."""
        started = told = trio.current_time()
        while True:
            await trio.sleep(1)
            now = trio.current_time()
            self._figures = self._take_figures(now - told)
            told = now
            figures = await self.neighbours.figures()
            # Volatile: whoever is behind needs the next figures, not these. Local: each worker
            # tells its own visitors.
            await self.io.local.volatile.emit(
                "figures", {**figures, "uptime": round(now - started)}
            )

    def _take_figures(self, seconds: float) -> Reply:
        figures: Reply = {
            "clients": len(self.hall.people),
            "messages": self._messages / seconds,
            "events": self._events / seconds,
            "rooms": dict[str, JSON](self.hall.counts()),
        }
        self._messages = self._events = 0
        return figures

    def _answer(self, event: str, arity: int, handler: Handler) -> None:
        """Register a handler: as many arguments as it takes, refusals told to the client."""

        async def answer(socket: trio_sio.Socket, *args: object) -> Answer:
            self._events += 1
            try:
                person = self.hall.person(socket.id)
                person.allowance.spend(trio.current_time())
                return await handler(socket, person, *(*args, *[None] * arity)[:arity])
            except Refusal as refusal:
                return {"error": str(refusal)}

        self.io.on(event, answer)

    async def _enter(self, socket: trio_sio.Socket) -> None:
        person = self.hall.enter(socket.id, trio.current_time())
        await self.neighbours.settle_name(person, person.nick)
        await socket.emit("welcome", {**person.card(), "limits": asdict(self.limits)})

    async def _part(self, socket: trio_sio.Socket, _reason: str) -> None:
        rooms = self.hall.part(socket.id)
        if rooms:
            await socket.to(*map(_channel, rooms)).emit("gone", socket.id)

    async def _echo(self, _socket: trio_sio.Socket, *_args: object) -> None:
        self._events += 1

    async def _nick(self, socket: trio_sio.Socket, person: Person, nick: object) -> Answer:
        self.hall.rename(person, nick)
        await self.neighbours.settle_name(person, person.nick)
        card = person.card()
        if person.rooms:
            await socket.to(*map(_channel, sorted(person.rooms))).emit("renamed", card)
        return {"nick": card["nick"]}

    async def _join(self, socket: trio_sio.Socket, person: Person, name: object) -> Answer:
        before = set(person.rooms)
        room = self.hall.join(person, name)
        if room.name not in before:
            await socket.join(_channel(room.name))
            await socket.to(_channel(room.name)).emit("joined", room.name, person.card())
        people, history = await self.neighbours.room(room.name)
        return {"room": room.name, "people": people, "history": history}

    async def _leave(self, socket: trio_sio.Socket, person: Person, name: object) -> Answer:
        left = self.hall.leave(person, name)
        await socket.leave(_channel(left))
        await socket.to(_channel(left)).emit("left", left, person.id)
        return {"room": left}

    async def _say(
        self, socket: trio_sio.Socket, person: Person, target: object, text: object
    ) -> Answer:
        content: Message = {"text": clean_text(text, self.limits.text_length)}
        return await self._deliver(socket, person, target, content)

    async def _image(
        self, socket: trio_sio.Socket, person: Person, target: object, image: object
    ) -> Answer:
        content: Message = {"type": image_type(image, self.limits.image_bytes), "image": image}
        return await self._deliver(socket, person, target, content)

    async def _typing(self, socket: trio_sio.Socket, person: Person, target: object) -> Answer:
        channel, where = await self._find(person, target)
        await socket.to(channel).volatile.emit("typing", {**where, "from": person.card()})
        return {}

    async def _deliver(
        self, socket: trio_sio.Socket, person: Person, target: object, content: Message
    ) -> Answer:
        """Send a message to everybody it is for, but not back to its author: they get the ack."""
        channel, where = await self._find(person, target)
        stamp: Message = {"id": self.hall.message_id(), "at": round(time.time() * 1000)}
        message: Message = {**stamp, **where, "from": person.card(), **content}
        if "room" in where:
            self.hall.rooms[where["room"]].remember(message)
        self._messages += 1
        await socket.to(channel).emit("message", message)
        return stamp

    async def _find(self, person: Person, target: object) -> tuple[str, Card]:
        """The Socket.IO room behind a target, and how the message names the place."""
        kind, name = clean_target(target)
        if kind == "room":
            return _channel(self.hall.room_of(person, name).name), {"room": name}
        if name == person.id:
            raise Refusal("You are talking to yourself.")
        if name not in self.hall.people and not await self.neighbours.has(name):
            raise Refusal("This person is no longer here.")
        return name, {"person": name}


def make_server(*, limits: Limits | None = None, ws_engine: WSEngine = "auto") -> trio_sio.Server:
    """The demo's server without its figures: what tests connect to."""
    return Demo(limits=limits, ws_engine=ws_engine).io


def _channel(room: str) -> str:
    # Every socket is in a Socket.IO room named by its id, which is how a private message finds it.
    # The prefix keeps visitors from listening there: a chat room may be called like an id.
    return f"room {room}"
