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
            "call": self.call,
            "ask": self.ask,
            "fetch": self.fetch,
            "tellRemote": self.tell_remote,
            "fetchSockets": self.fetch_sockets,
            "socketsJoin": self.sockets_join,
            "socketsLeave": self.sockets_leave,
            "disconnectSockets": self.disconnect_sockets,
            "serverCount": self.server_count,
            "serverSideEmit": self.server_side_emit,
            "serverSideCall": self.server_side_call,
            "hearServers": self.hear_servers,
            "hearServersOnce": self.hear_servers_once,
            "forgetServers": self.forget_servers,
        }

    def _prepare(self, namespace: Namespace) -> None:
        @namespace.on("connection")
        def connection(socket: trio_sio.Socket) -> None:
            socket.data.update(node=self.name, bytes=b"\x00\xff")

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

    async def call(
        self, target: dict[str, Any], seconds: float, event: str, *args: object
    ) -> list[Any]:
        return await self._chosen(**target).call(event, *args, timeout=seconds)

    async def ask(
        self, target: dict[str, Any], seconds: float, event: str, *args: object
    ) -> tuple[list[Any], list[str]]:
        """Return the answers, and who is missing."""
        try:
            return await self._chosen(**target).call(event, *args, timeout=seconds), []
        except trio_sio.MissingAnswers as error:
            return error.answers, list(error.missing)

    async def fetch(self, target: dict[str, Any]) -> tuple[list[Any], list[str]]:
        """Return what is known of each socket, and who is missing."""
        found = await self._chosen(**target).fetch_sockets()
        told = [
            {
                "id": one.id,
                "rooms": sorted(one.rooms),
                "isRemote": isinstance(one, trio_sio.RemoteSocket),
                "transport": one.handshake.get("transport"),
            }
            for one in found
        ]
        return told, list(found.missing)

    async def tell_remote(self, sid: str, room: str) -> object:
        """Have a socket of another node join a room, and ask it something."""
        (remote,) = [one for one in await self.io.fetch_sockets() if one.id == sid]
        assert isinstance(remote, trio_sio.RemoteSocket)
        await remote.join(room)
        await remote.emit("news", room)
        return await remote.call("ask", room)

    async def fetch_sockets(self, target: dict[str, Any]) -> list[dict[str, Any]]:
        found = await self._chosen(**target).fetch_sockets()
        return [
            {
                "id": one.id,
                "rooms": sorted(one.rooms),
                "data": dict(one.data),
                "handshake": one.handshake.as_json(),
            }
            for one in found
        ]

    async def sockets_join(self, target: dict[str, Any], rooms: list[str]) -> None:
        await self._chosen(**target).sockets_join(*rooms)

    async def sockets_leave(self, target: dict[str, Any], rooms: list[str]) -> None:
        await self._chosen(**target).sockets_leave(*rooms)

    async def disconnect_sockets(self, target: dict[str, Any], close: bool) -> None:
        await self._chosen(**target).disconnect_sockets(close)

    async def server_count(self, namespace: str) -> int:
        return await self.io.of(namespace).adapter.server_count()

    async def server_side_emit(self, namespace: str, event: str, *args: object) -> None:
        await self.io.of(namespace).server_side_emit(event, *args)

    async def server_side_call(self, namespace: str, event: str, *args: object) -> list[Any]:
        return await self.io.of(namespace).server_side_call(event, *args)

    async def hear_servers(self, namespace: str, event: str) -> None:
        @self.io.of(namespace).on_server(event)
        async def hear(*args: object) -> object:
            tell("server event", event, *args)
            return {"name": self.name, "args": args}

    async def hear_servers_once(self, namespace: str, event: str) -> None:
        @self.io.of(namespace).once_server(event)
        def hear(*args: object) -> None:
            tell("server event", event, *args)

    async def forget_servers(self, namespace: str, event: str) -> None:
        self.io.of(namespace).remove_all_server_listeners(event)

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
