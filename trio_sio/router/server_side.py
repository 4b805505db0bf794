"""What an application sends to the other servers of its cluster, and hears from them."""

from collections.abc import Callable
from typing import Any, TypeVar, overload

from trio_sio.protocol.socketio.foreign import replace_foreign
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.router.audience import held
from trio_sio.router.handlers import Handler
from trio_sio.router.many_sockets import able
from trio_sio.router.namespace_base import JoinableNamespace
from trio_sio.router.server_events import ServerEvents, check_server_event

H = TypeVar("H", bound=Callable[..., object])

TIMEOUT = 5.0
"""Seconds that other servers have for an answer (JS: `requestsTimeout`)."""


class ServerListener:
    """Hears what other servers say in a namespace, or in all that a dynamic one has made."""

    __slots__ = ()

    @property
    def _server_events(self) -> ServerEvents:
        raise NotImplementedError

    @overload
    def on_server(self, event: str) -> Callable[[H], H]: ...

    @overload
    def on_server(self, event: str, handler: H) -> H: ...

    def on_server(self, event: str, handler: Handler | None = None) -> Any:
        """Register a handler for what other servers send with `server_side_emit` (JS: `io.on`).

        What it returns is the answer to `server_side_call`. If there are several handlers, the
        first result that is not `None` is; a server without a handler does not answer.

        Args:
            event: the event's name.
            handler: a function, async or not, that takes the event's arguments, and no socket;
                without it, a decorator is returned.

        Raises:
            TypeError: the name is not a str, or the handler is not callable.
            ValueError: the name is "connect", "connection" or "new_namespace".
        """
        return self._register_for_servers(event, handler, once=False)

    @overload
    def once_server(self, event: str) -> Callable[[H], H]: ...

    @overload
    def once_server(self, event: str, handler: H) -> H: ...

    def once_server(self, event: str, handler: Handler | None = None) -> Any:
        """Register a handler for the next event only, as `on_server` does (JS: `io.once`).

        Of a dynamic namespace, for the next one of all its namespaces.

        Args:
            event: the event's name.
            handler: as of `on_server`.

        Raises:
            TypeError, ValueError: as `on_server`.
        """
        return self._register_for_servers(event, handler, once=True)

    def remove_server_listener(self, event: str, handler: Handler) -> None:
        """Remove a handler of `on_server` or `once_server` (JS: `io.off`).

        Args:
            event: the event's name.
            handler: which; the last one if it is there twice. An unknown one is ignored.
        """
        self._server_events.remove(event, handler)

    def remove_all_server_listeners(self, event: str | None = None) -> None:
        """Remove all of them, or those of one event (JS: `io.removeAllListeners`).

        Args:
            event: the event's name; `None` for every event.
        """
        self._server_events.remove_all(event)

    def server_event_names(self) -> list[str]:
        """Return the events of other servers that have handlers here (JS: `io.eventNames`)."""
        return self._server_events.names()

    def _register_for_servers(self, event: str, handler: Handler | None, *, once: bool) -> Any:  # noqa: ANN401 - the handler, or a decorator
        check_server_event(event)

        def register(function: H) -> H:
            self._server_events.add(event, function, once=once)
            return function

        return register if handler is None else register(handler)


class ServerSide(ServerListener):
    """Sends to the other servers that have a namespace, and hears from them."""

    __slots__ = ()

    @property
    def _here(self) -> JoinableNamespace[Any]:
        raise NotImplementedError

    @property
    def _server_events(self) -> ServerEvents:
        return self._here.server_events

    async def server_side_emit(self, event: str, *args: object) -> None:
        """Send an event to the other servers of the cluster (JS: `serverSideEmit`).

        Their handlers of `on_server` get it, those of this server do not. A server that is alone
        sends nothing.

        Args:
            event: the event's name.
            *args: values of JSON, and bytes.

        Raises:
            LocalProtocolError: an argument cannot be sent.
            TypeError: the name is not a str.
            ValueError: the name is "connect", "connection" or "new_namespace".
            NotImplementedError: an adapter of the application's own cannot do it.
        """
        here = self._here
        here.home.check("io.server_side_emit")
        adapter = able(here.adapter, "server_side_emit")
        await adapter.server_side_emit(_data(here, event, args))

    async def server_side_call(
        self,
        event: str,
        *args: object,
        timeout: float = TIMEOUT,  # noqa: ASYNC109 - an answer is always bounded
    ) -> list[Any]:
        """Send an event to the other servers, and return their answers, as they have arrived.

        JS: `serverSideEmitWithAck`. A server that is alone gets `[]`.

        Args:
            event: the event's name.
            *args: values of JSON, and bytes.
            timeout: seconds that the servers have for their answers.

        Raises:
            NoAnswer: some server has not answered in time, perhaps because it has no handler;
                `replies` has what has arrived, and `missing` who has not answered.
            LocalProtocolError: an argument cannot be sent.
            TypeError: the name is not a str, or the timeout no number.
            ValueError: the name is "connect", "connection" or "new_namespace"; or the timeout is
                not positive.
            NotImplementedError: an adapter of the application's own cannot do it.
        """
        _check_timeout(timeout)
        here = self._here
        here.home.check("io.server_side_call")
        adapter = able(here.adapter, "server_side_call")
        with held((here,)):
            return await adapter.server_side_call(_data(here, event, args), timeout)


def _data(here: JoinableNamespace[Any], event: str, args: tuple[object, ...]) -> list[JSON]:
    check_server_event(event)
    data: Any = [str(event), *args]
    if here.json_default is not None:
        packet = Packet(PacketType.EVENT, here.name, data)
        data = replace_foreign(packet, here.json_default).data
    return data  # type: ignore[no-any-return]  # whether it is JSON, its encoder finds out


def _check_timeout(timeout: object) -> None:
    if isinstance(timeout, bool) or not isinstance(timeout, int | float):
        raise TypeError(f"timeout must be a number of seconds, not {timeout!r}")
    if not timeout > 0:
        raise ValueError(f"timeout must be more than 0 seconds, not {timeout!r}")
