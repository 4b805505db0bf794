"""Handlers by event, and how they are called."""

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, TypeVar

from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.any_handlers import AnyHandlers, AnyTable
from trio_sio.router.argument_check import ArgumentCheck, make_check
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

NEW_NAMESPACE = "new_namespace"
"""The event of "/" whose handlers get each namespace that is made."""

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
        takes: how many of the arguments it is given, for events of the socket's own life; `None`
            for all.
        check: checks and converts the arguments of each event; `None` if nobody wants that.
    """

    function: Handler
    ack: bool = False
    concurrent: bool = False
    once: bool = False
    event: str = field(default="", compare=False)
    takes: int | None = None
    check: ArgumentCheck | None = field(default=None, compare=False)


_NO_HANDLERS: Mapping[str, tuple["Registration", ...]] = {}
_NO_EVENTS: frozenset[str] = frozenset()
"""What nearly every socket's table has; empty ones of its own would take 280 bytes."""


class HandlerTable(AnyTable):
    """The handlers of each event, in the order of their registration; and those of every event."""

    __slots__ = ("_once", "_table")

    def __init__(self) -> None:
        super().__init__()
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


class HandlerOwner(AnyHandlers):
    """An object with handlers; its kinds say in their types which handlers they take."""

    __slots__ = ()

    if not TYPE_CHECKING:
        __getattr__ = explain_missing

    handlers: HandlerTable
    _life_events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """What handlers of the socket's own life get, by event."""
    _lead: ClassVar[int] = 0
    """How many arguments handlers get before those of an event."""

    @property
    def _validates(self) -> bool:
        """Option `validate` of the server."""
        return False

    def _register(
        self,
        event: str,
        handler: Handler | None,
        *,
        ack: bool,
        concurrent: bool,
        once: bool,
        validate: bool | None = None,
    ) -> Any:  # noqa: ANN401 - the handler, or a decorator
        """Register a handler and return it; without one, return the decorator that does."""
        check_event(event)

        def register(function: H) -> H:
            self._add(event, function, ack=ack, concurrent=concurrent, once=once, validate=validate)
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
        validate: bool | None = None,
    ) -> None:
        offered = self._life_events.get(event)
        takes = None if offered is None or not callable(function) else fit(event, function, offered)
        check = self._check_for(event, function, validate, ack=ack)
        registration = Registration(function, ack, concurrent, once, takes=takes, check=check)
        self.handlers.add(event, registration)

    def _check_for(
        self, event: str, function: Handler, validate: bool | None, *, ack: bool
    ) -> ArgumentCheck | None:
        """Return what checks the arguments of a handler, `None` if nothing is to."""
        wanted = self._validates if validate is None else validate
        if not wanted or not callable(function):
            return None
        if event in self._life_events:
            if validate:
                raise TypeError(f"validate is for events of clients, not for {event!r}")
            return None
        lead = self._lead + (event == CATCH_ALL)
        return make_check(event, function, lead=lead, trail=int(ack), is_asked_for=bool(validate))

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


def as_result(args: Sequence[object]) -> object:
    """Return an acknowledgement's arguments as a value: none, one, or a tuple of several."""
    if not args:
        return None
    return args[0] if len(args) == 1 else tuple(args)
