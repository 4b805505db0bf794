"""Handlers by event, and how they are called."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CoroutineType
from typing import TypeVar, overload

from trio_sio.protocol.socketio.packet import BACKLOG

Handler = Callable[..., object]
"""A function of the application, async or not. Its result, awaited, is the answer."""

H = TypeVar("H", bound=Handler)


@dataclass(frozen=True, slots=True)
class Registration:
    """A handler and how it wants to be called.

    Attributes:
        function: the handler.
        ack: it gets a callable as last argument, and answers through that.
        concurrent: later events need not wait for it.
        once: it is called for one event only.
        event: the event's name; the table that it is added to fills it in.
    """

    function: Handler
    ack: bool = False
    concurrent: bool = False
    once: bool = False
    event: str = field(default="", compare=False)


_NO_HANDLERS: Mapping[str, tuple["Registration", ...]] = {}
_NO_EVENTS: frozenset[str] = frozenset()
"""Of nearly every socket's table; empty ones of its own would take 280 bytes."""


class HandlerTable:
    """Which handlers hear which event, in the order of their registration."""

    __slots__ = ("_once", "_table")

    def __init__(self) -> None:
        self._table: Mapping[str, tuple[Registration, ...]] = _NO_HANDLERS
        self._once = _NO_EVENTS

    def add(self, event: str, registration: Registration) -> None:
        """Register a handler."""
        if not isinstance(event, str):
            raise TypeError(f"an event name must be a str, not {event!r}")
        if not callable(registration.function):
            raise TypeError(f"a handler must be callable, not {registration.function!r}")
        self._set(event, [*self.get(event), replace(registration, event=event)])

    def get(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers of an event."""
        return self._table.get(event, ())

    def remove(self, event: str, function: Handler) -> None:
        """Forget a handler, the last registered if it is there twice; unknown ones are fine."""
        registrations = [*self.get(event)]
        for index in reversed(range(len(registrations))):
            if registrations[index].function == function:
                del registrations[index]
                break
        self._set(event, registrations)

    def _set(self, event: str, registrations: Sequence[Registration]) -> None:
        """Tuples, which every event hands out as they are; changes are rare."""
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
        """Forget the handlers of an event, or all."""
        for name in [*self._table] if event is None else [event]:
            self._set(name, ())

    def names(self) -> list[str]:
        """Return the events that have handlers."""
        return list(self._table)

    def has(self, event: str) -> bool:
        """Whether an event has handlers."""
        return event in self._table

    def take(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers to call for one event; those of `once` are forgotten."""
        found = self._table.get(event, ())
        if event in self._once:
            self._set(event, [registration for registration in found if not registration.once])
        return found


class Listens:
    """What can be listened to: `on`, `once`, `event` and their undoing."""

    __slots__ = ()

    handlers: HandlerTable

    @overload
    def on(self, event: str, *, ack: bool = ..., concurrent: bool = ...) -> Callable[[H], H]: ...

    @overload
    def on(self, event: str, handler: H, *, ack: bool = ..., concurrent: bool = ...) -> H: ...

    def on(
        self,
        event: str,
        handler: H | None = None,
        *,
        ack: bool = False,
        concurrent: bool = False,
    ) -> H | Callable[[H], H]:
        """Register a handler, or be the decorator that does (JS: `on`).

        What the handler returns is the answer, if the client asked for one: nothing for `None`,
        several arguments for a tuple.

        Args:
            event: the event's name.
            handler: a function, async or not; without it, a decorator is returned.
            ack: give the handler a callable as last argument, for answers before its end; what
                it returns is no answer then.
            concurrent: run it in the socket's nursery, so that later events need not wait; at
                most `max_inbox` run at a time.
        """
        if handler is not None:
            self.handlers.add(event, Registration(handler, ack=ack, concurrent=concurrent))
            return handler

        def register(function: H) -> H:
            self.handlers.add(event, Registration(function, ack=ack, concurrent=concurrent))
            return function

        return register

    @overload
    def once(self, event: str) -> Callable[[H], H]: ...

    @overload
    def once(self, event: str, handler: H) -> H: ...

    def once(self, event: str, handler: H | None = None) -> H | Callable[[H], H]:
        """Register a handler for the next such event only (JS: `once`)."""
        if handler is not None:
            self.handlers.add(event, Registration(handler, once=True))
            return handler

        def register(function: H) -> H:
            self.handlers.add(event, Registration(function, once=True))
            return function

        return register

    def event(self, handler: H) -> H:
        """Register a handler for the event of its own name (python-socketio: `@sio.event`)."""
        name = getattr(handler, "__name__", "")
        if not name:
            raise TypeError(f"@event needs a function with a name, not {handler!r}")
        self.handlers.add(name, Registration(handler))
        return handler

    def on_backlog(self, handler: H) -> H:
        """Register a handler for clients that fall behind; a decorator.

        It gets the socket and, where it is registered for one socket, only the second argument:
        True when more waits for the client than `high_water` says, and False when that has come
        down to `low_water`. It runs in the socket's nursery, beside the others.
        """
        self.handlers.add(BACKLOG, Registration(handler))
        return handler

    def remove_listener(self, event: str, handler: Handler) -> None:
        """Forget a handler (JS: `removeListener`)."""
        self.handlers.remove(event, handler)

    def remove_all_listeners(self, event: str | None = None) -> None:
        """Forget the handlers of an event, or all (JS: `removeAllListeners`)."""
        self.handlers.remove_all(event)

    def event_names(self) -> list[str]:
        """Return the events that have handlers (JS: `eventNames`)."""
        return [name for name in self.handlers.names() if name != BACKLOG]


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
