"""What to write in place of methods that other servers have.

Attributes are looked up here when there is none of that name, so this costs nothing otherwise.
"""

import re
from typing import Any

_SERVE = "trio_sio.run(io, port), or await io.serve_tcp(port) in a program that runs Trio"
_ROOMS = "await socket.join(room) and await socket.leave(room)"
_BEGIN = "nursery.start_soon(function), with socket.nursery for what belongs to a socket"
_DATA = "socket.data is a dict of yours that lives as long as the socket"
_CLIENTS = "await io.clients() returns the ids; namespace.connected has this server's sockets"
_CALL = "await socket.call(event, *args, timeout=seconds) returns the answer, io.call those of all"
_MANY = "servers, namespaces and broadcasts have it: io.in_(room), socket.broadcast"

_HINTS = {  # JavaScript's names as Python writes them
    # JavaScript, 2.x to 4.x
    "attach": _SERVE,
    "listen": _SERVE,
    "add_listener": "@on(event)",
    "all_sockets": _CLIENTS,
    "disconnect_sockets": _MANY,
    "emit_with_ack": _CALL,
    "fetch_sockets": _MANY,
    "nsps": "io.of(name) returns a namespace",
    "off": "remove_listener(event, handler)",
    "off_any": "remove_any(handler)",
    "off_any_outgoing": "remove_any_outgoing(handler)",
    "listeners_any": "any_handlers",
    "listeners_any_outgoing": "any_outgoing_handlers",
    "prepend_any": "on_any(handler, first=True)",
    "prepend_any_outgoing": "on_any_outgoing(handler, first=True)",
    "server_side_emit": "servers of a cluster share broadcasts alone",
    "sockets_join": _MANY,
    "sockets_leave": _MANY,
    "timeout": _CALL,
    # python-socketio
    "close_room": "await io.in_(room).sockets_leave(room)",
    "enter_room": _ROOMS,
    "environ": "socket.request and socket.handshake",
    "get_environ": "socket.request and socket.handshake",
    "get_session": _DATA,
    "leave_room": _ROOMS,
    "namespace_handlers": "io.register(name, handlers)",
    "register_namespace": "io.register(name, handlers), with an object of trio_sio.Handlers",
    "save_session": _DATA,
    "session": _DATA,
    "shutdown": "await io.aclose()",
    "sleep": "await trio.sleep(seconds)",
    "start_background_task": _BEGIN,
    # what a socket has, and a server has not; and the other way round
    "broadcast": "io.emit(event, *args) sends to everybody; socket.broadcast to all others",
    "call": _CALL,
    "close": "await io.aclose(), or await socket.disconnect()",
    "disconnect": "await socket.disconnect()",
    "join": _ROOMS,
    "leave": _ROOMS,
    "run": _SERVE,
}
_BEGINNING = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def explain_missing(self: object, name: str) -> Any:  # noqa: ANN401 - it never returns
    """`__getattr__` of what applications hold: says what is meant.

    Raises:
        AttributeError: always.
    """
    kind = type(self)
    if hasattr(kind, name):  # a property that raised AttributeError itself: let it say that again
        return object.__getattribute__(self, name)
    here = _in_python(name)
    meant = _HINTS.get(here, "")
    if not meant and here != name and hasattr(kind, here):
        meant = f"it is called {here!r} here"
    text = f"{kind.__name__!r} object has no attribute {name!r}"
    raise AttributeError(f"{text}: {meant}" if meant else text, name=name, obj=self)


def _in_python(name: str) -> str:
    return _BEGINNING.sub("_", name).lower()
