"""Handlers that see every event, whatever its name.

They are kept by whoever has handlers, and cost the others one comparison for each event:
`EventWatch` says whether any has been registered on the server.
"""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar, overload

from trio_sio.abc import EventWatch
from trio_sio.router.arity import function_name

Function = Callable[..., object]
F = TypeVar("F", bound=Function)


class AnyTable:
    """The handlers of every event, in the order in which they are called.

    Attributes:
        incoming: of the events that clients send.
        outgoing: of those that are sent to clients.
    """

    __slots__ = ("incoming", "outgoing")

    def __init__(self) -> None:
        self.incoming: tuple[Function, ...] = ()
        self.outgoing: tuple[Function, ...] = ()

    def add_incoming(self, function: Function, *, first: bool) -> None:
        """Add a handler, at one of the ends."""
        self.incoming = (function, *self.incoming) if first else (*self.incoming, function)

    def add_outgoing(self, function: Function, *, first: bool) -> None:
        """Add a handler, at one of the ends."""
        self.outgoing = (function, *self.outgoing) if first else (*self.outgoing, function)

    def remove_incoming(self, function: Function | None) -> None:
        """Remove a handler, the first one if it is there twice; or all."""
        self.incoming = _without(self.incoming, function)

    def remove_outgoing(self, function: Function | None) -> None:
        """Remove a handler, the first one if it is there twice; or all."""
        self.outgoing = _without(self.outgoing, function)


def _without(functions: tuple[Function, ...], function: Function | None) -> tuple[Function, ...]:
    if function is None or function not in functions:
        return () if function is None else functions
    place = functions.index(function)
    return functions[:place] + functions[place + 1 :]


class AnyHandlers:
    """The methods for these handlers; those of sockets get `(event, *args)`, others
    `(socket, event, *args)`.
    """

    __slots__ = ()

    handlers: Any
    """An `AnyTable`, among others."""

    @property
    def _watch(self) -> EventWatch:
        """Whether anybody has registered such handlers."""
        raise NotImplementedError

    @overload
    def on_any(self, handler: F, *, first: bool = ...) -> F: ...
    @overload
    def on_any(self, handler: None = ..., *, first: bool = ...) -> Callable[[F], F]: ...
    def on_any(self, handler: Any = None, *, first: bool = False) -> Any:
        """Register a handler of every event that clients send (JS: `onAny`); a decorator, too.

        It is called before packet middleware and the event's own handlers, and what it returns is
        no answer. While it waits, later events of the socket wait. What it raises is treated as
        what handlers of events raise; the event goes on. Handlers of a namespace are called before
        those of a socket. (The handlers of "*" get only the events that nobody else handles.)

        Args:
            handler: a function, async or not, that takes the event's name and its arguments; of a
                namespace, the socket before these.
            first: call it before those that are there (JS: `prependAny`).

        Raises:
            TypeError: the handler is not callable.
        """

        def register(function: F) -> F:
            _check_callable(function)
            self._watch.watch_incoming()
            self.handlers.add_incoming(function, first=first)
            return function

        return register if handler is None else register(handler)

    def remove_any(self, handler: Function | None = None) -> None:
        """Remove a handler of every event, or all of them (JS: `offAny`); ignore an unknown one."""
        self.handlers.remove_incoming(handler)

    @property
    def any_handlers(self) -> tuple[Function, ...]:
        """The handlers of every event that were registered here (JS: `listenersAny`)."""
        found: tuple[Function, ...] = self.handlers.incoming
        return found

    @overload
    def on_any_outgoing(self, handler: F, *, first: bool = ...) -> F: ...
    @overload
    def on_any_outgoing(self, handler: None = ..., *, first: bool = ...) -> Callable[[F], F]: ...
    def on_any_outgoing(self, handler: Any = None, *, first: bool = False) -> Any:
        """Register a handler of every event that is sent (JS: `onAnyOutgoing`); a decorator, too.

        It is called once for each socket that an event goes to, also by a broadcast, right before
        it is sent; of volatile events, right after, for those that could take it. It is not told
        of answers. Broadcasts do not wait, so neither may it: it is a plain function. What it
        raises is treated as what handlers of events raise, soon after; the event is sent.

        Args:
            handler: a function, not async, as of `on_any`.
            first: call it before those that are there (JS: `prependAnyOutgoing`).

        Raises:
            TypeError: the handler is not callable, or async.
        """

        def register(function: F) -> F:
            _check_callable(function)
            if inspect.iscoroutinefunction(function):
                name = function_name(function)
                raise TypeError(f"on_any_outgoing takes a function that is not async, not {name}")
            self._watch.watch_outgoing()
            self.handlers.add_outgoing(function, first=first)
            return function

        return register if handler is None else register(handler)

    def remove_any_outgoing(self, handler: Function | None = None) -> None:
        """Remove such a handler, or all of them (JS: `offAnyOutgoing`); ignore an unknown one."""
        self.handlers.remove_outgoing(handler)

    @property
    def any_outgoing_handlers(self) -> tuple[Function, ...]:
        """Those that were registered here (JS: `listenersAnyOutgoing`)."""
        found: tuple[Function, ...] = self.handlers.outgoing
        return found


def _check_callable(function: object) -> None:
    if not callable(function):
        raise TypeError(f"a handler must be callable, not {function!r}")
