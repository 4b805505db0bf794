"""The handlers of one socket, which take the arguments of its events and nothing before them."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, ClassVar, Literal, TypeVar, overload

from trio_sio.declared_event import Answer, Arguments, Event
from trio_sio.disconnect import DisconnectReason
from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.handlers import EndEvent, Handler, HandlerOwner, OwnEvent, deprecated

H = TypeVar("H", bound=Handler)
OwnEndH = TypeVar("OwnEndH", bound=Callable[[DisconnectReason], object] | Callable[[], object])
OwnErrorH = TypeVar("OwnErrorH", bound=Callable[[Exception], object])
OwnBacklogH = TypeVar("OwnBacklogH", bound=Callable[[bool], object])


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
        self,
        event: Event[Answer, *Arguments],
        *,
        concurrent: bool = ...,
        validate: bool | None = ...,
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
        validate: bool | None = ...,
    ) -> Callable[[*Arguments], Answer | Awaitable[Answer]]: ...
    @overload
    def on(
        self,
        event: Event[Any, *Arguments],
        *,
        ack: Literal[True],
        concurrent: bool = ...,
        validate: bool | None = ...,
    ) -> Callable[
        [Callable[[*Arguments, Callable[..., object]], object]],
        Callable[[*Arguments, Callable[..., object]], object],
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
            validate: check what the client sends against the types of the handler, or of the
                declared event, and call the handler with values of these types; a client that
                sends others gets an ERROR packet. `None` for the server's option `validate`.

        Raises:
            ImportError: `validate` needs msgspec, the extra `typed`.
            TypeError: the name is not a str, or the handler is not callable; or it cannot be
                called with what there is, for "disconnect" and the like.
        """
        return self._register(
            event, handler, ack=ack, concurrent=concurrent, once=False, validate=validate
        )

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
        self, event: Event[Answer, *Arguments], *, validate: bool | None = ...
    ) -> Callable[
        [Callable[[*Arguments], Answer | Awaitable[Answer]]],
        Callable[[*Arguments], Answer | Awaitable[Answer]],
    ]: ...
    @overload
    def once(
        self,
        event: Event[Answer, *Arguments],
        handler: Callable[[*Arguments], Answer | Awaitable[Answer]],
        *,
        validate: bool | None = ...,
    ) -> Callable[[*Arguments], Answer | Awaitable[Answer]]: ...
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

    def on_backlog(self, handler: OwnBacklogH) -> OwnBacklogH:
        """Register a handler for the time when this client falls behind; a decorator.

        It gets True when more is queued for the client than `high_water` allows, and False when
        that has come down to `low_water`. It runs in the socket's nursery, beside the others.
        """
        return self._register_for_backlog(handler)
