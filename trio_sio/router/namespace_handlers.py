"""The handlers of a server and of namespaces, which take the socket before an event's arguments.

The types say of each event what its handlers take, so that a type checker finds one without a
socket, or with another kind of reason.
"""

from collections.abc import Awaitable, Callable, Mapping
from inspect import iscoroutinefunction
from typing import Any, ClassVar, Concatenate, Literal, TypeVar, overload

from trio_sio.declared_event import Answer, Arguments, Event
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.handlers import (
    NEW_NAMESPACE,
    EndEvent,
    Handler,
    HandlerOwner,
    OwnEvent,
    deprecated,
)
from trio_sio.router.socket import Socket

H = TypeVar("H", bound=Callable[Concatenate[Socket, ...], object])
ConnectionH = TypeVar("ConnectionH", bound=Callable[[Socket], object])
EndH = TypeVar(
    "EndH",
    bound=Callable[[Socket, DisconnectReason], object] | Callable[[Socket], object],
)
ErrorH = TypeVar("ErrorH", bound=Callable[[Socket, Exception], object])
NamespaceH = TypeVar("NamespaceH", bound=Callable[[Any], object] | Callable[[], object])
BacklogH = TypeVar("BacklogH", bound=Callable[[Socket, bool], object])

ConnectionEvent = Literal["connection", "connect"]
SharedEvent = ConnectionEvent | OwnEvent


class NamespaceHandlers(HandlerOwner):
    """The handlers and the middleware that all sockets of a namespace have in common."""

    __slots__ = ()

    middleware: list[Handler]
    _lead: ClassVar[int] = 1
    _life_events: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "connect": ("socket",),
        "connection": ("socket",),
        "disconnect": ("socket", "reason"),
        "disconnecting": ("socket", "reason"),
        "error": ("socket", "error"),
        BACKLOG: ("socket", "is_behind"),
        NEW_NAMESPACE: ("namespace",),
    }

    @property
    def _is_root(self) -> bool:
        """Whether these are the handlers of the namespace "/"."""
        return True

    def _add(self, event: str, function: Handler, **how: Any) -> None:  # noqa: ANN401 - as `on`
        if event == NEW_NAMESPACE:
            if not self._is_root:
                text = f"handlers of {NEW_NAMESPACE!r} are for the namespace '/': io.on(…)"
                raise ValueError(text)
            if iscoroutinefunction(function):
                raise TypeError(f"a handler of {NEW_NAMESPACE!r} must not be async: {function!r}")
        super()._add(event, function, **how)

    @overload
    def on(
        self, event: ConnectionEvent, *, ack: bool = ..., concurrent: bool = ...
    ) -> Callable[[ConnectionH], ConnectionH]: ...
    @overload
    def on(
        self,
        event: ConnectionEvent,
        handler: ConnectionH,
        *,
        ack: bool = ...,
        concurrent: bool = ...,
    ) -> ConnectionH: ...
    @overload
    def on(
        self, event: EndEvent, *, ack: bool = ..., concurrent: bool = ...
    ) -> Callable[[EndH], EndH]: ...
    @overload
    def on(
        self, event: EndEvent, handler: EndH, *, ack: bool = ..., concurrent: bool = ...
    ) -> EndH: ...
    @overload
    def on(
        self, event: Literal["error"], *, ack: bool = ..., concurrent: bool = ...
    ) -> Callable[[ErrorH], ErrorH]: ...
    @overload
    def on(
        self, event: Literal["error"], handler: ErrorH, *, ack: bool = ..., concurrent: bool = ...
    ) -> ErrorH: ...
    @overload
    def on(self, event: Literal["new_namespace"]) -> Callable[[NamespaceH], NamespaceH]: ...
    @overload
    def on(self, event: Literal["new_namespace"], handler: NamespaceH) -> NamespaceH: ...
    # The last overload would take a wrong handler for these names, since no type says "any other
    # name": type checkers report this one instead, if they report what is deprecated.
    @overload
    @deprecated("handlers of this event take the socket, the reason or the error, and nothing else")
    def on(
        self, event: SharedEvent, handler: H, *, ack: bool = ..., concurrent: bool = ...
    ) -> H: ...
    @overload
    def on(
        self,
        event: Event[Answer, *Arguments],
        *,
        concurrent: bool = ...,
        validate: bool | None = ...,
    ) -> Callable[
        [Callable[[Socket, *Arguments], Answer | Awaitable[Answer]]],
        Callable[[Socket, *Arguments], Answer | Awaitable[Answer]],
    ]: ...
    @overload
    def on(
        self,
        event: Event[Answer, *Arguments],
        handler: Callable[[Socket, *Arguments], Answer | Awaitable[Answer]],
        *,
        concurrent: bool = ...,
        validate: bool | None = ...,
    ) -> Callable[[Socket, *Arguments], Answer | Awaitable[Answer]]: ...
    @overload
    def on(
        self,
        event: Event[Any, *Arguments],
        *,
        ack: Literal[True],
        concurrent: bool = ...,
        validate: bool | None = ...,
    ) -> Callable[
        [Callable[[Socket, *Arguments, Callable[..., object]], object]],
        Callable[[Socket, *Arguments, Callable[..., object]], object],
    ]: ...
    @overload
    def on(
        self, event: str, *, ack: bool = ..., concurrent: bool = ..., validate: bool | None = ...
    ) -> Callable[[H], H]: ...
    @overload
    def on(
        self,
        event: str,
        handler: H,
        *,
        ack: bool = ...,
        concurrent: bool = ...,
        validate: bool | None = ...,
    ) -> H: ...
    def on(
        self,
        event: Any,
        handler: Handler | None = None,
        *,
        ack: bool = False,
        concurrent: bool = False,
        validate: bool | None = None,
    ) -> Any:
        """Register a handler for all sockets of a namespace (JS: `on`); also as a decorator.

        What the handler returns is the answer, if the client asked for one: nothing for `None`,
        several arguments for a tuple.

        Args:
            event: the event's name, or a declared event. Handlers of "connection" get the socket
                alone, those of "disconnecting" and "disconnect" also the `DisconnectReason`, and
                those of "error" also the exception; they may leave arguments out, from the end.
                Handlers of "new_namespace", of "/" only and not async, get each other namespace
                when it is made; what one raises comes out of `of`.
                Handlers of "*" get the events that nobody else handles, `(socket, event, *args)`.
            handler: a function, async or not, that takes the socket and the event's arguments;
                without it, a decorator is returned.
            ack: give the handler a callable as last argument, for answers before its end; what
                it returns is no answer then.
            concurrent: run it in the socket's nursery, so that later events need not wait; at
                most `max_inbox` run at a time.
            validate: check what the client sends against the types of the handler, or of the
                declared event, and call the handler with values of these types; a client that
                sends others gets an ERROR packet. `None` for the server's option `validate`.

        Raises:
            ImportError: `validate` needs msgspec, the extra `typed`.
            TypeError: the name is not a str, or the handler is not callable; or it cannot be
                called with what there is, for "connection", "disconnect" and the like.
        """
        return self._register(
            event, handler, ack=ack, concurrent=concurrent, once=False, validate=validate
        )

    @overload
    def once(self, event: ConnectionEvent) -> Callable[[ConnectionH], ConnectionH]: ...
    @overload
    def once(self, event: ConnectionEvent, handler: ConnectionH) -> ConnectionH: ...
    @overload
    def once(self, event: EndEvent) -> Callable[[EndH], EndH]: ...
    @overload
    def once(self, event: EndEvent, handler: EndH) -> EndH: ...
    @overload
    def once(self, event: Literal["error"]) -> Callable[[ErrorH], ErrorH]: ...
    @overload
    def once(self, event: Literal["error"], handler: ErrorH) -> ErrorH: ...
    @overload
    @deprecated("handlers of this event take the socket, the reason or the error, and nothing else")
    def once(self, event: SharedEvent, handler: H) -> H: ...
    @overload
    def once(
        self, event: Event[Answer, *Arguments], *, validate: bool | None = ...
    ) -> Callable[
        [Callable[[Socket, *Arguments], Answer | Awaitable[Answer]]],
        Callable[[Socket, *Arguments], Answer | Awaitable[Answer]],
    ]: ...
    @overload
    def once(
        self,
        event: Event[Answer, *Arguments],
        handler: Callable[[Socket, *Arguments], Answer | Awaitable[Answer]],
        *,
        validate: bool | None = ...,
    ) -> Callable[[Socket, *Arguments], Answer | Awaitable[Answer]]: ...
    @overload
    def once(self, event: str, *, validate: bool | None = ...) -> Callable[[H], H]: ...
    @overload
    def once(self, event: str, handler: H, *, validate: bool | None = ...) -> H: ...
    def once(
        self, event: Any, handler: Handler | None = None, *, validate: bool | None = None
    ) -> Any:
        """Register a handler for the next such event only (JS: `once`); also as a decorator."""
        return self._register(
            event, handler, ack=False, concurrent=False, once=True, validate=validate
        )

    def event(self, handler: H) -> H:
        """Register a handler for the event of its own name (python-socketio: `@sio.event`)."""
        return self._register_by_name(handler)

    def on_backlog(self, handler: BacklogH) -> BacklogH:
        """Register a handler for the time when clients fall behind; a decorator.

        It gets the socket, and True when more is queued for its client than `high_water` allows,
        or False when that has come down to `low_water`. It runs in the socket's nursery, beside
        the others.
        """
        return self._register_for_backlog(handler)

    def use(self, function: ConnectionH) -> ConnectionH:
        """Register middleware of the namespace (JS: `use((socket, next) => …)`); a decorator.

        Args:
            function: a function, async or not, that is called with each socket that wants to join.
                If it returns, the socket passes on to the next one. If it raises
                `ConnectionRefused`, the socket is refused, and the client gets the message or the
                data of the exception.

        Raises:
            TypeError: the function is not callable.
        """
        if not callable(function):
            raise TypeError(f"middleware must be callable, not {function!r}")
        self.middleware.append(function)
        return function
