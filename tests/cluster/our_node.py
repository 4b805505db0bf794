"""One node of ours, which obeys a test as `tests/javascript/cluster_node.js` does.

`python -m tests.cluster.our_node '{"name", "url", "key", …}'` tells "ready" with its port. It also
tells of each "gap", of "health" and of what it logs.
"""

import json
import logging
import re
import sys
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from functools import partial
from typing import Any

import trio

import trio_sio
from tests.cluster.orders import Verb, obey, tell
from trio_sio.abc import Gathered
from trio_sio.adapters.redis import RedisAdapter

Namespace = trio_sio.Namespace | trio_sio.ParentNamespace


class _Teller(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        tell("log", record.levelname, record.getMessage())


class Node:
    """A server, and the orders that it knows.

    Args:
        name: its name.
        adapter: its adapter.
    """

    def __init__(self, name: str, adapter: RedisAdapter) -> None:
        self.name = name
        self.adapter = adapter
        self.io = trio_sio.Server(adapter=adapter)
        self._prepare(self.io.sockets)
        self.in_order: dict[str, Verb] = {"emit": self.emit, "burst": self.burst}
        self.verbs: dict[str, Verb] = {
            "of": self.of,
            "dynamic": self.dynamic,
            "sockets": self.sockets,
            "join": self.join,
            "leave": self.leave,
            "clients": self.clients,
            "missing": self.missing,
            "allRooms": self.all_rooms,
            "clientRooms": self.client_rooms,
            "remoteJoin": self.remote_join,
            "remoteLeave": self.remote_leave,
            "remoteDisconnect": self.remote_disconnect,
            "customRequest": self.custom_request,
            "hook": self.hook,
            "farewell": self.farewell,
            "statistics": self.statistics,
        }

    @staticmethod
    def _prepare(namespace: Namespace) -> None:
        @namespace.on("join")
        async def join(socket: trio_sio.Socket, room: str) -> str:
            await socket.join(room)
            return room

        @namespace.on("leave")
        async def leave(socket: trio_sio.Socket, room: str) -> str:
            await socket.leave(room)
            return room

    async def of(self, namespace: str) -> None:
        self._prepare(self.io.of(namespace))

    async def dynamic(self, pattern: str) -> None:
        self._prepare(self.io.of(re.compile(pattern)))

    async def emit(self, target: dict[str, Any], event: str, *args: object) -> None:
        await self._chosen(**target).emit(event, *args)

    async def burst(self, target: dict[str, Any], event: str, start: int, count: int) -> None:
        for number in range(start, start + count):
            await self._chosen(**target).emit(event, number)

    def _chosen(
        self,
        namespace: str = "/",
        rooms: Iterable[str] = (),
        sender: str | None = None,
        flags: Mapping[str, bool] | None = None,
        **more: Iterable[str],
    ) -> trio_sio.Broadcast:
        there = self.io.of(namespace)
        chosen = there.to() if sender is None else there.connected[sender].broadcast
        chosen = chosen.to(*rooms).except_(*more.get("except", ()))
        for flag, value in (flags or {}).items():
            known = getattr(chosen, flag)
            chosen = known(value) if callable(known) else known
        return chosen

    async def sockets(self, namespace: str) -> list[str]:
        return list(self.io.of(namespace).connected)

    async def join(self, namespace: str, sid: str, room: str) -> None:
        await self.io.of(namespace).connected[sid].join(room)

    async def leave(self, namespace: str, sid: str, room: str) -> None:
        await self.io.of(namespace).connected[sid].leave(room)

    async def clients(self, namespace: str, rooms: list[str]) -> list[str]:
        return list(await self.io.of(namespace).to(*rooms).clients())

    async def missing(self, namespace: str) -> list[str]:
        found = await self.io.of(namespace).clients()
        assert isinstance(found, Gathered)
        return list(found.missing)

    async def all_rooms(self, namespace: str) -> list[str]:
        return list(await self.io.of(namespace).adapter.all_rooms())

    async def client_rooms(self, namespace: str, sid: str) -> list[str]:
        return list(await self.io.of(namespace).adapter.client_rooms(sid))

    async def remote_join(self, namespace: str, sid: str, room: str) -> None:
        await self.io.of(namespace).adapter.remote_join(sid, room)

    async def remote_leave(self, namespace: str, sid: str, room: str) -> None:
        await self.io.of(namespace).adapter.remote_leave(sid, room)

    async def remote_disconnect(self, namespace: str, sid: str, close: bool) -> None:
        await self.io.of(namespace).adapter.remote_disconnect(sid, close)

    async def custom_request(self, namespace: str, data: Any) -> list[Any]:  # noqa: ANN401
        return await self.io.of(namespace).adapter.custom_request(data)

    async def hook(self, namespace: str) -> None:
        @self.io.of(namespace).adapter.on_custom_request
        def answer(data: object) -> object:
            return {"name": self.name, "data": data}

    async def farewell(self, namespace: str) -> None:
        @self.io.of(namespace).on("disconnect")
        async def tell_others(socket: trio_sio.Socket, _: str) -> None:
            await socket.broadcast.emit("late", socket.id)

    async def statistics(self) -> dict[str, Any]:
        return asdict(self.adapter.statistics())

    async def run(self) -> None:
        """Serve and obey until the input ends."""
        async with self.io, trio.open_nursery() as nursery:
            listeners = await nursery.start(partial(self.io.serve_tcp, 0, "127.0.0.1"))
            tell("ready", listeners[0].socket.getsockname()[1])
            await obey(self.verbs, self.in_order)
            nursery.cancel_scope.cancel()


def main(words: str) -> None:
    options = json.loads(words)
    name, url = options["name"], options.pop("url")
    logging.basicConfig(level=logging.INFO, handlers=[_Teller(), logging.StreamHandler()])
    adapter = RedisAdapter(url, **options)
    adapter.on_gap(lambda gap: tell("gap", gap.seconds, gap.cause))
    adapter.on_health(lambda healthy: tell("health", healthy, adapter.problem))
    trio.run(Node(name, adapter).run)


if __name__ == "__main__":
    main(sys.argv[1])
