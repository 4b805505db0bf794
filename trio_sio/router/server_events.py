"""What the servers of a cluster tell each other in one namespace: who hears it, and who answers.

Such events go from server to server; clients neither send nor get them.
"""

from collections.abc import Sequence
from typing import cast

from trio_sio.abc import AnswerServer
from trio_sio.failures import failures, keep, raised
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.router.handlers import Handler, HandlerTable, Registration, call, check_event
from trio_sio.statistics import NamespaceCounters

RESERVED = frozenset({"connect", "connection", "new_namespace"})
"""What namespaces say themselves (JS: `RESERVED_EVENTS` of namespaces)."""


def check_server_event(event: object) -> None:
    """Raise if servers cannot send each other an event of this name.

    Raises:
        TypeError: it is no str.
        ValueError: it is reserved.
    """
    check_event(event)
    if event in RESERVED:
        raise ValueError(
            f"{str(event)!r} is reserved: namespaces say it themselves, servers cannot send it"
        )


class ServerEvents:
    """The handlers of what other servers say in a namespace, or in those of a dynamic one.

    Args:
        counters: of the namespace; failures of handlers are counted there.
        parent: of the dynamic namespace that the namespace was made by, if any.
    """

    __slots__ = ("_counters", "_handlers", "_parent")

    def __init__(self, counters: NamespaceCounters, parent: "ServerEvents | None" = None) -> None:
        self._counters = counters
        self._handlers = HandlerTable()
        self._parent = parent

    def add(self, event: str, handler: Handler, *, once: bool = False) -> None:
        """Register a handler.

        Args:
            event: the event's name.
            handler: takes the event's arguments.
            once: it is called for one event only.

        Raises:
            TypeError, ValueError: as `check_server_event`; or the handler is not callable.
        """
        check_server_event(event)
        self._handlers.add(event, Registration(handler, once=once))

    def remove(self, event: str, handler: Handler) -> None:
        """Remove a handler, the last one if it is there twice; ignore an unknown one."""
        self._handlers.remove(event, handler)

    def remove_all(self, event: str | None = None) -> None:
        """Remove the handlers of an event, or all; those of the parent stay."""
        self._handlers.remove_all(event)

    def names(self) -> list[str]:
        """Return the events that have handlers of the namespace's own."""
        return self._handlers.names()

    @property
    def are_heard(self) -> bool:
        """Whether the namespace has handlers of its own."""
        return bool(self._handlers.names())

    def _take(self, event: str) -> tuple[Registration, ...]:
        """Return the handlers to call for one event, and remove those of `once`."""
        inherited = () if self._parent is None else self._parent._take(event)
        return inherited + self._handlers.take(event)

    async def hear(self, data: Sequence[JSON], answer: AnswerServer | None) -> None:
        """Call the handlers of an event, one after the other.

        The first result that is not `None` is the answer; `None`, if all of them have returned
        that. Where there is no handler, or one has failed and no other answers, there is none.

        Args:
            data: the event and its arguments.
            answer: takes the answer, once at most; `None` if nobody wants it.

        Raises:
            BaseException: what handlers have raised, after the last one.
        """
        event, *args = data
        result, kept = None, None
        handlers = self._take(str(event))
        try:
            for one in handlers:
                try:
                    returned = await call(one.function, *args)
                except failures() as error:
                    self._counters.failures += 1
                    kept = keep(error, kept)
                else:
                    result = returned if result is None else result
            if answer is not None and handlers and (result is not None or kept is None):
                await answer(cast("JSON", result))
        finally:
            with raised(kept):
                pass
