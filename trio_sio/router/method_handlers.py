"""`Handlers`: the handlers of a namespace as the methods of an object."""

import difflib
import inspect
import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.handlers import Handler, check_event
from trio_sio.router.namespace_handlers import NamespaceHandlers

M = TypeVar("M", bound=Callable[..., object])

_PREFIX = "on_"
_MARKS = "__trio_sio_events__"
_OF_LIFE = ("connection", "connect", "disconnect", "disconnecting", "error", "backlog")
_NEAR = 0.8
"""How similar a method's name has to be to a known one to be taken for a slip."""

_OF_OTHERS = {
    "trigger_event": '@trio_sio.on("*") marks a method that gets the other events',
    "on_connect_error": "a server has no such event",
}
"""Methods of python-socketio's namespaces that would never be called here."""


class Handlers:
    """The handlers of a namespace, as methods; `Server.register` registers them.

        class Chat(trio_sio.Handlers):
            async def on_message(self, socket, text): ...

            @trio_sio.on("chat message", ack=True)
            async def say(self, socket, text, ack): ...

        io.register("/chat", Chat())

    A method `on_news` handles the event "news", and `trio_sio.on` marks methods for events with
    other names, or with options. Handlers take what those of `Namespace.on` take, behind `self`:
    the socket and the event's arguments, the socket alone for `on_connection`, the socket and the
    reason for `on_disconnect`. They may be async or not, inherited, and overridden.

    One object may be registered for several namespaces: `socket.namespace` says which one it is.
    """


@dataclass(frozen=True, slots=True)
class Mark:
    """An event that a method handles."""

    event: str
    ack: bool = False
    concurrent: bool = False
    validate: bool | None = None


@dataclass(frozen=True, slots=True)
class Method:
    """A bound method and the event that it handles; `event` is `BACKLOG` for `on_backlog`."""

    function: Handler
    mark: Mark


def on(
    event: str, *, ack: bool = False, concurrent: bool = False, validate: bool | None = None
) -> Callable[[M], M]:
    """Mark a method of `Handlers` as the handler of an event; a decorator, also for several.

    Args:
        event: the event's name; "*" for those that nobody else handles.
        ack: give the method a callable as last argument, as for `Namespace.on`.
        concurrent: run it beside the others, as for `Namespace.on`.
        validate: whether to check its arguments, as for `Namespace.on`; `None` for what option
            `validate` says.

    Raises:
        TypeError: the name is not a str.
    """
    check_event(event)

    def mark(function: M) -> M:
        marks = function.__dict__
        marks[_MARKS] = (*marks.get(_MARKS, ()), Mark(event, ack, concurrent, validate))
        return function

    return mark


def methods(handlers: Handlers) -> list[Method]:
    """Return the methods of an object that are handlers.

    Raises:
        TypeError: it is no object of `Handlers`, or has no such method.
    """
    if isinstance(handlers, type) and issubclass(handlers, Handlers):
        raise TypeError(f"register() takes an object: {handlers.__name__}()")
    if not isinstance(handlers, Handlers):
        raise TypeError(f"register() takes an object of trio_sio.Handlers, not {handlers!r}")
    found = list(_methods(handlers))
    if not found:
        raise TypeError(f"{type(handlers).__qualname__} has no method on_…, and none with @on")
    return found


def add_methods(found: Iterable[Method], namespace: NamespaceHandlers) -> None:
    """Register methods as handlers of a namespace.

    Raises:
        TypeError: one of them cannot be called with what there is.
    """
    for one in found:
        mark = one.mark
        if mark.event == BACKLOG:
            namespace.on_backlog(one.function)
        else:
            options = {"ack": mark.ack, "concurrent": mark.concurrent}
            namespace.on(mark.event, one.function, **options, validate=mark.validate)


def _methods(handlers: Handlers) -> Iterator[Method]:
    kind = type(handlers)
    for name in dir(kind):
        static = inspect.getattr_static(kind, name)
        is_method = callable(static) or isinstance(static, (staticmethod, classmethod))
        if name.startswith("__") or not is_method:
            continue
        marks = _marks(kind, name)
        if not marks:
            _look_at(kind, name)
        for mark in marks:
            yield Method(getattr(handlers, name), mark)


def _marks(kind: type, name: str) -> tuple[Mark, ...]:
    """Return what a method handles; one that overrides a marked one handles the same."""
    for base in kind.__mro__:
        own: Any = base.__dict__.get(name)
        marks: tuple[Mark, ...] = getattr(own, _MARKS, ())
        if marks:
            return marks
    if not name.startswith(_PREFIX) or name == _PREFIX or name in _OF_OTHERS:
        return ()
    event = name.removeprefix(_PREFIX)
    near = difflib.get_close_matches(event, _OF_LIFE, 1, _NEAR)
    if near and event not in _OF_LIFE:
        text = f"did you mean {_PREFIX}{near[0]}? An event of this name is marked by @on({event!r})"
        _warn(kind, name, text)
    return (Mark(BACKLOG if event == "backlog" else event),)


def _look_at(kind: type, name: str) -> None:
    """Warn of a method that looks as if it were a handler."""
    if name in _OF_OTHERS:
        _warn(kind, name, f"is never called: {_OF_OTHERS[name]}")
    elif name.startswith("on") and (name[2:3].isupper() or name[2:] in _OF_LIFE):
        near = name[2].lower() + name[3:]
        _warn(kind, name, f"is never called: a handler is called {_PREFIX}{near}, or marked by @on")


def _warn(kind: type, name: str, text: str) -> None:
    warnings.warn(f"{kind.__qualname__}.{name}: {text}", stacklevel=6)
