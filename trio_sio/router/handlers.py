"""Handlers by event, and how they are called."""

import inspect
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar, overload

from trio_sio.declared_event import Answer, Arguments, Event
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.arity import fit
from trio_sio.router.hints import explain_missing

if TYPE_CHECKING:
    from typing_extensions import deprecated as deprecated
else:

    def deprecated(message: str) -> Callable[[object], object]:
        """Return a decorator that does nothing; type checkers know another one."""
        return lambda function: function


Handler = Callable[..., object]
"""A function of the application, async or not. What it returns is the answer to an event."""

CATCH_ALL = "*"
"""The event whose handlers get those that nobody else handles."""

H = TypeVar("H", bound=Handler)
OwnEndH = TypeVar("OwnEndH", bound=Callable[[DisconnectReason], object] | Callable[[], object])
OwnErrorH = TypeVar("OwnErrorH", bound=Callable[[Exception], object])
OwnBacklogH = TypeVar("OwnBacklogH", bound=Callable[[bool], object])


@dataclass(frozen=True, slots=True)
class Registration:
    """A handler and how it wants to be called.

    Attributes:
        function: the handler.
        ack: it gets a callable as last argument, and answers through that.
        concurrent: later events need not wait for it.
        once: it is called for one event only.
        event: the event's name; the table that it is added to fills it in.
        takes: how many of the arguments it is given, for events of the socket's own life; `None`
            for all.
    """

    function: Handler
    ack: bool = False
    concurrent: bool = False
    once: bool = False
    event: str = field(default="", compare=False)
    takes: int | None = None


_NO_HANDLERS: Mapping[str, tuple["Registration", ...]] = {}
_NO_EVENTS: frozenset[str] = frozenset()
"""What nearly every socket's table has; empty ones of its own would take 280 bytes."""


class HandlerTable:
    """The handlers of each event, in the order of their registration."""

    __slots__ = ("_once", "_table")

    def __init__(self) -> None:
        self._table: Mapping[str, tuple[Registration, ...]] = _NO_HANDLERS
        self._once = _NO_EVENTS

    def add(self, event: str, registration: Registration) -> None:
        """Register a handler."""
        check_event(event)
        if not callable(registration.function):
            raise TypeError(f"a handler must be callable, not {registration.function!r}")
        event = str(event)  # of a declared event, the plain name: the table finds it faster
        self._set(event, [*self.get(event), replace(registration, event=event)])

    def get(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers of an event."""
        return self._table.get(event, ())

    def remove(self, event: str, function: Handler) -> None:
        """Remove a handler, the last one if it is there twice; ignore an unknown one."""
        registrations = [*self.get(event)]
        for index in reversed(range(len(registrations))):
            if registrations[index].function == function:
                del registrations[index]
                break
        self._set(event, registrations)

    def _set(self, event: str, registrations: Sequence[Registration]) -> None:
        """Store tuples, which each event gets as they are: changes are rare."""
        self._once -= {event}
        table = dict(self._table)
        if registrations:
            table[event] = tuple(registrations)
        else:
            table.pop(event, None)
        if any(registration.once for registration in registrations):
            self._once |= {event}
        self._table = table

    def remove_all(self, event: str | None = None) -> None:
        """Remove the handlers of an event, or all."""
        for name in [*self._table] if event is None else [event]:
            self._set(name, ())

    def names(self) -> list[str]:
        """Return the events that have handlers."""
        return list(self._table)

    def has(self, event: str) -> bool:
        """Whether an event has handlers."""
        return event in self._table

    def take(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers to call for one event, and remove those of `once`."""
        found = self._table.get(event, ())
        if event in self._once:
            self._set(event, [registration for registration in found if not registration.once])
        return found


class HandlerOwner:
    """An object with handlers; its kinds say in their types which handlers they take."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __getattr__ = explain_missing

    handlers: HandlerTable
    _life_events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What handlers of the socket's own life get, by event."""

    def _register(
        self, event: str, handler: Handler | None, *, ack: bool, concurrent: bool, once: bool
    ) -> Any:  # noqa: ANN401 - the handler, or a decorator
        """Register a handler and return it; without one, return the decorator that does."""
        check_event(event)

        def register(function: H) -> H:
            self._add(event, function, ack=ack, concurrent=concurrent, once=once)
            return function

        return register if handler is None else register(handler)

    def _add(
        self,
        event: str,
        function: Handler,
        *,
        ack: bool = False,
        concurrent: bool = False,
        once: bool = False,
    ) -> None:
        offered = self._life_events.get(event)
        takes = None if offered is None or not callable(function) else fit(event, function, offered)
        self.handlers.add(event, Registration(function, ack, concurrent, once, takes=takes))

    def _register_by_name(self, handler: H) -> H:
        name = getattr(handler, "__name__", "")
        if not name:
            raise TypeError(f"@event needs a function with a name, not {handler!r}")
        self._add(name, handler)
        return handler

    def _register_for_backlog(self, handler: H) -> H:
        self._add(BACKLOG, handler)
        return handler

    def remove_listener(self, event: str, handler: Handler) -> None:
        """Remove a handler (JS: `removeListener`)."""
        self.handlers.remove(event, handler)

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Remove the handlers of an event, or all (JS: `removeAllListeners`)."""
        self.handlers.remove_all(event)

    def event_names(self) -> list[str]:
        """Return the events that have handlers (JS: `eventNames`)."""
        return [name for name in self.handlers.names() if name != BACKLOG]


def check_event(event: object) -> None:
    """Raise `TypeError` if something is no event's name, as a function behind a bare `@on`."""
    if callable(event):
        name = getattr(event, "__name__", "news")
        text = f'@on takes the event: @on("{name}"), or @event for the name of the function'
        raise TypeError(text)
    if not isinstance(event, str):
        raise TypeError(f"an event name must be a str, not {event!r}")


EndEvent = Literal["disconnect", "disconnecting"]
OwnEvent = EndEvent | Literal["error"]


class SocketHandlers(HandlerOwner):
    """The handlers of one socket: they take the arguments of its events."""

    __slots__ = ()

    _life_events: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "disconnect": ("reason",),
        "disconnecting": ("reason",),
        "error": ("error",),
        BACKLOG: ("is_behind",),
    }

    @overload
    def on(
        self, event: EndEvent, *, ack: bool = ..., concurrent: bool = ...
    ) -> Callable[[OwnEndH], OwnEndH]: ...
    @overload
    def on(
        self, event: EndEvent, handler: OwnEndH, *, ack: bool = ..., concurrent: bool = ...
    ) -> OwnEndH: ...
    @overload
    def on(
        self, event: Literal["error"], *, ack: bool = ..., concurrent: bool = ...
    ) -> Callable[[OwnErrorH], OwnErrorH]: ...
    @overload
    def on(
        self,
        event: Literal["error"],
        handler: OwnErrorH,
        *,
        ack: bool = ...,
        concurrent: bool = ...,
    ) -> OwnErrorH: ...
    # The last overload would take a wrong handler for these names, since no type says "any other
    # name": type checkers report this one instead, if they report what is deprecated.
    @overload
    @deprecated("handlers of this event take the reason, or the error, and nothing else")
    def on(self, event: OwnEvent, handler: H, *, ack: bool = ..., concurrent: bool = ...) -> H: ...
    @overload
    def on(
        self, event: Event[Answer, *Arguments], *, concurrent: bool = ...
    ) -> Callable[
        [Callable[[*Arguments], Answer | Awaitable[Answer]]],
        Callable[[*Arguments], Answer | Awaitable[Answer]],
    ]: ...
    @overload
    def on(
        self,
        event: Event[Answer, *Arguments],
        handler: Callable[[*Arguments], Answer | Awaitable[Answer]],
        *,
        concurrent: bool = ...,
    ) -> Callable[[*Arguments], Answer | Awaitable[Answer]]: ...
    @overload
    def on(
        self, event: Event[Any, *Arguments], *, ack: Literal[True], concurrent: bool = ...
    ) -> Callable[
        [Callable[[*Arguments, Callable[..., object]], object]],
        Callable[[*Arguments, Callable[..., object]], object],
    ]: ...
    @overload
    def on(self, event: str, *, ack: bool = ..., concurrent: bool = ...) -> Callable[[H], H]: ...
    @overload
    def on(self, event: str, handler: H, *, ack: bool = ..., concurrent: bool = ...) -> H: ...
    def on(
        self,
        event: Any,
        handler: Handler | None = None,
        *,
        ack: bool = False,
        concurrent: bool = False,
    ) -> Any:
        """Register a handler for this socket's events (JS: `socket.on`); also as a decorator.

        What the handler returns is the answer, if the client asked for one: nothing for `None`,
        several arguments for a tuple.

        Args:
            event: the event's name, or a declared event. Handlers of "disconnecting" and
                "disconnect" get the `DisconnectReason`, handlers of "error" get the exception;
                they may leave that out.
                Handlers of "*" get the events that nobody else handles, `(event, *args)`.
            handler: a function, async or not, that takes the event's arguments; without it, a
                decorator is returned.
            ack: give the handler a callable as last argument, for answers before its end; what
                it returns is no answer then.
            concurrent: run it in the socket's nursery, so that later events need not wait; at
                most `max_inbox` run at a time.

        Raises:
            TypeError: the name is not a str, or the handler is not callable; or it cannot be
                called with what there is, for "disconnect" and the like.
        """
        return self._register(event, handler, ack=ack, concurrent=concurrent, once=False)

    @overload
    def once(self, event: EndEvent) -> Callable[[OwnEndH], OwnEndH]: ...
    @overload
    def once(self, event: EndEvent, handler: OwnEndH) -> OwnEndH: ...
    @overload
    def once(self, event: Literal["error"]) -> Callable[[OwnErrorH], OwnErrorH]: ...
    @overload
    def once(self, event: Literal["error"], handler: OwnErrorH) -> OwnErrorH: ...
    @overload
    @deprecated("handlers of this event take the reason, or the error, and nothing else")
    def once(self, event: OwnEvent, handler: H) -> H: ...
    @overload
    def once(
        self, event: Event[Answer, *Arguments]
    ) -> Callable[
        [Callable[[*Arguments], Answer | Awaitable[Answer]]],
        Callable[[*Arguments], Answer | Awaitable[Answer]],
    ]: ...
    @overload
    def once(
        self,
        event: Event[Answer, *Arguments],
        handler: Callable[[*Arguments], Answer | Awaitable[Answer]],
    ) -> Callable[[*Arguments], Answer | Awaitable[Answer]]: ...
    @overload
    def once(self, event: str) -> Callable[[H], H]: ...
    @overload
    def once(self, event: str, handler: H) -> H: ...
    def once(self, event: Any, handler: Handler | None = None) -> Any:
        """Register a handler for the next such event only (JS: `once`); also as a decorator."""
        return self._register(event, handler, ack=False, concurrent=False, once=True)

    def event(self, handler: H) -> H:
        """Register a handler for the event of its own name (python-socketio: `@sio.event`)."""
        return self._register_by_name(handler)

    def on_backlog(self, handler: OwnBacklogH) -> OwnBacklogH:
        """Register a handler for the time when this client falls behind; a decorator.

        It gets True when more is queued for the client than `high_water` allows, and False when
        that has come down to `low_water`. It runs in the socket's nursery, beside the others.
        """
        return self._register_for_backlog(handler)


async def call(function: Handler, *args: object) -> object:
    """Call a handler, async or not, and return its result."""
    result = function(*args)
    if type(result) is CoroutineType or inspect.isawaitable(result):
        return await result
    return result


def as_arguments(result: object) -> list[object]:
    """Return a handler's result as the arguments of an acknowledgement."""
    if result is None:
        return []
    return list(result) if isinstance(result, tuple) else [result]


def as_result(args: list[object]) -> object:
    """Return an acknowledgement's arguments as a value: none, one, or a tuple of several."""
    if not args:
        return None
    return args[0] if len(args) == 1 else tuple(args)
