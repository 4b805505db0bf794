"""Plays scripts to a server, and returns what its clients hear after each step."""

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

import trio

from trio_sio.conformance.comparison.heard import Heard, described, hide
from trio_sio.conformance.comparison.line import (
    Line,
    PollingLine,
    WebSocketLine,
    body_of,
    session_target,
)
from trio_sio.conformance.comparison.visitor import BROKEN, Polls, Visitor
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
from trio_sio.testing.wire import PacketText
from trio_sio.testing.wire_http import WireConnection
from trio_sio.testing.wire_websocket import (
    MASK,
    WebSocketClosed,
    WireWebSocket,
    frame_bytes,
    handshake_headers,
)

ROUNDS = 3
"""How often all is answered before a step is over: what a handler starts may take a turn or two."""

Observation = dict[str, Heard]
"""What all hear in one step: by client "0", "1", and "others" for connections of their own."""


async def play(target: Target, script: Script) -> list[Observation]:
    """Play a script; the first observation is what clients hear when they connect.

    Raises:
        OSError: the server cannot be reached.
        trio.TooSlowError: it did not answer in time.
    """
    async with trio.open_nursery() as nursery:
        player = _Player(target, nursery)
        try:
            observations = [await player.connect(script.transports)]
            for step in script.steps:
                observations.append(await player.take(step))
                if not player.goes_on:
                    break
        finally:
            with trio.CancelScope(shield=True, deadline=trio.current_time() + 1):
                await player.aclose()
            nursery.cancel_scope.cancel()
    return observations


class _Player:
    def __init__(self, target: Target, nursery: trio.Nursery) -> None:
        self._target = target
        self._nursery = nursery
        self._visitors: list[Visitor] = []
        self._lines: list[Line] = []
        self._polls: dict[int, Polls] = {}
        self._sids: list[str] = []
        self._open: list[WireConnection] = []
        self._others: list[str] = []

    @property
    def goes_on(self) -> bool:
        """Whether any session is left; a script without clients has nothing to lose."""
        return not self._visitors or any(one.ended is None for one in self._visitors)

    @property
    def _names(self) -> Mapping[str, str]:
        return {sid: f"<{number}>" for number, sid in enumerate(self._sids)}

    async def connect(self, transports: Sequence[str]) -> Observation:
        """Open a session for each client."""
        for number, how in enumerate(transports):
            visitor = Visitor(str(number), self._target.protocol)
            self._visitors.append(visitor)
            await (self._connect_websocket if how[0] == "w" else self._connect_polling)(
                visitor, how
            )
        return await self._settle()

    async def _connect_polling(self, visitor: Visitor, how: str) -> None:
        getting = await self._opened()
        response = await getting.request("GET", session_target(self._target, how))
        self._others += [line for line in described(response, {})[:-1] if "cookie" not in line]
        sid = _sid_of(body_of(response).decode())
        self._sids.append(sid)
        polls = Polls(visitor, getting, session_target(self._target, how, sid), body_of)
        polls.take(response)
        self._polls[int(visitor.name)] = polls
        posting = await self._opened()
        where = session_target(self._target, how, sid)
        self._lines.append(PollingLine(posting, where, how, self._target.eio))
        self._nursery.start_soon(polls.run)

    async def _connect_websocket(self, visitor: Visitor, how: str) -> None:
        websocket = await self._websocket(session_target(self._target, how))
        opening = await websocket.receive()
        assert isinstance(opening, str), opening
        self._sids.append(_sid_of(opening))
        visitor.take(opening)
        line = WebSocketLine(websocket)
        self._lines.append(line)
        self._nursery.start_soon(line.read, visitor)

    async def _websocket(self, target: str) -> WireWebSocket:
        connection = await self._opened()
        response = await connection.request("GET", target, handshake_headers())
        if response.status != 101:
            raise trio.BrokenResourceError(f"a WebSocket was refused: {response.status}")
        return WireWebSocket(connection, response)

    async def _opened(self) -> WireConnection:
        connection = await self._target.connect()
        # Whoever reads waits for as long as the script takes.
        patient = WireConnection(connection.stream, self._target.authority, patience=math.inf)
        self._open.append(patient)
        return patient

    # -- steps ---------------------------------------------------------------------------------

    async def take(self, step: Step) -> Observation:
        """Do one step, and return what everybody hears."""
        match step:
            case Request():
                await self._request(step)
            case Probe():
                await self._probe(step)
            case _ if self._visitors[step.client].ended is None:
                with suppress(*BROKEN):
                    await self._act(step)
        return await self._settle()

    async def _act(self, step: Send | Post | Frame | Upgrade | Leave) -> None:
        line, visitor = self._lines[step.client], self._visitors[step.client]
        match step:
            case Send():
                packets = [_answering(packet, visitor.asked) for packet in step.packets]
                visitor.said(packets)
                self._others += await line.send(packets)
            case Post(body=body, content_type=kind) if isinstance(line, PollingLine):
                self._others += await line.post(body, kind)
            case Frame() if isinstance(line, WebSocketLine):
                mask = MASK if step.masked else None
                await line.send_frame(
                    frame_bytes(step.opcode, step.payload, fin=step.fin, rsv=step.rsv, mask=mask)
                )
            case Upgrade() if isinstance(line, PollingLine):
                await self._upgrade(step, line)
            case Leave():
                visitor.end("the client left")
                await line.aclose()

    async def _request(self, step: Request) -> None:
        headers = dict(step.headers)
        target = f"{self._target.path}/?{self._with_sid(step.query)}"
        connection = await self._opened()
        try:
            with trio.fail_after(self._target.patience):
                response = await connection.request(step.method, target, headers, step.body)
        except BROKEN:
            self._others.append("the connection ended without an answer")
        except trio.TooSlowError:
            self._others.append("no answer")
        else:
            self._others += described(response, self._all_names(response.body))
        finally:
            await connection.aclose()

    async def _probe(self, step: Probe) -> None:
        connection = await self._opened()
        target = f"{self._target.path}/?{self._with_sid(step.query)}"
        headers = handshake_headers(dict(step.headers))
        headers = {name: value for name, value in headers.items() if value}
        try:
            response = await connection.request("GET", target, headers)
            self._others += described(response, self._names)
            if response.status == 101:
                other = Visitor("other", self._target.protocol)
                line = WebSocketLine(WireWebSocket(connection, response))
                self._nursery.start_soon(line.read, other)
                await self._until_quiet(line, other, step)
        except BROKEN:
            self._others.append("the connection ended")

    async def _until_quiet(self, line: WebSocketLine, other: Visitor, step: Probe) -> None:
        with suppress(*BROKEN):
            await line.send(step.packets)
        for _ in range(ROUNDS):
            with trio.move_on_after(self._target.patience):
                await line.settle()
            await self._settle_all()
        heard = other.take_heard(self._names)
        for where, texts in heard.items():
            self._others += [f"{where} by WebSocket: {text}" for text in texts]

    async def _upgrade(self, step: Upgrade, line: PollingLine) -> None:
        target = session_target(self._target, "websocket", self._sids[step.client])
        visitor = self._visitors[step.client]
        websocket = await self._websocket(target)
        await websocket.send("2probe")
        try:
            self._others.append(f"a probe is answered {await websocket.receive()!r}")
        except WebSocketClosed:  # another WebSocket has the session, or is probed for it
            self._others.append("a probe is closed")
            return
        polls = self._polls[step.client]
        polls.move()
        if step.between:
            self._others += await line.send(step.between)
        await polls.stopped.wait()
        await websocket.send("5")
        moved = WebSocketLine(websocket)
        self._lines[step.client] = moved
        self._nursery.start_soon(moved.read, visitor)

    def _with_sid(self, query: str) -> str:
        return query.replace(SID, self._sids[0] if self._sids else "none")

    def _all_names(self, body: bytes) -> Mapping[str, str]:
        return {**self._names, **_new(body.decode("utf-8", "replace").replace("\\", ""))}

    # -- what is heard -------------------------------------------------------------------------

    async def _settle(self) -> Observation:
        await self._settle_all()
        names = self._names
        found = {visitor.name: visitor.take_heard(names) for visitor in self._visitors}
        found = {name: heard for name, heard in found.items() if heard}
        if self._others:
            found["others"] = {"responses": [hide(line, names) for line in self._others]}
            self._others.clear()
        return found

    async def _settle_all(self) -> None:
        for _ in range(ROUNDS):
            for visitor, line in zip(self._visitors, self._lines, strict=False):
                if visitor.ended is None:
                    await self._in_time(partial(self._mark, visitor, line), visitor)

    async def _mark(self, visitor: Visitor, line: Line) -> None:
        for packets in visitor.marks():
            if visitor.ended is not None:
                return
            try:
                await line.send(packets)  # refused if the session ends, as a poll will say
            except BROKEN:
                with trio.move_on_after(1):  # whoever reads may still find a close frame
                    await visitor.answered()
                visitor.end("the connection ended")
            await visitor.answered()

    async def _in_time(self, wait: Callable[[], Awaitable[None]], visitor: Visitor) -> None:
        with trio.move_on_after(self._target.patience) as scope:
            await wait()
        if scope.cancelled_caught:
            visitor.end("silence")

    async def aclose(self) -> None:
        """Drop all connections."""
        for connection in self._open:
            await connection.aclose()


def _answering(packet: PacketText, asked: str) -> PacketText:
    return packet.replace(ASKED, asked) if isinstance(packet, str) else packet


def _new(text: str) -> Mapping[str, str]:
    sid = _sid_of(text)
    return {sid: "<new>"} if sid else {}


def _sid_of(text: str) -> str:
    return text.partition('"sid":"')[2].partition('"')[0]
