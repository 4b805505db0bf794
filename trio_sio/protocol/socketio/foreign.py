"""Replaces what packets have no form for by what a function of the application makes of it.

Values of JSON, bytes and dates have a form; everything else is foreign. An encoder comes here when
it has failed, so that packets without foreign values cost nothing.

There are two ways to do it. The quick one gives up at any difficulty. The other one knows where it
is, takes data that is nested deeply or contains itself, and three times as long.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime
from typing import cast

from trio_sio.protocol.errors import LocalProtocolError
from trio_sio.protocol.socketio.packet import JSON, Packet
from trio_sio.protocol.socketio.unsendable import shown_place, type_name

Default = Callable[[object], object]
"""The option `json_default`: `(foreign value) -> what is sent in its place`."""

MAX_CALLS = 256
"""Calls of the function for what it has returned itself, one inside of the other."""

MAX_LEVELS = 10_000
"""Levels of data; encoders of packets take fewer."""

_LEAVES: frozenset[type] = frozenset(
    (str, int, float, bool, type(None), bytes, bytearray, memoryview, datetime, date)
)
_WITH_A_FORM: tuple[type, ...] = (dict, list, tuple, *_LEAVES)

_Container = dict[object, object] | list[object] | tuple[object, ...]


def replace_foreign(packet: Packet, default: Default, form: str = "JSON") -> Packet:
    """Return a packet without foreign values; the packet itself, if it has none.

    Foreign values in what the function returns are replaced, too. Keys are left as they are. The
    function is called once for each value; once more, if it fails or the data is deep.

    Args:
        packet: any packet; it is not changed.
        default: the function.
        form: what the packet is to be sent as, for the error.

    Raises:
        LocalProtocolError: the function raised something, which is the cause of this; or returned
            the value itself, or needed to be called forever; or the data contains itself. It says
            where.
    """
    quick = _Quick(default)
    try:
        data = quick.replaced(packet.data, 0)
        has_replaced = quick.has_called
    except Exception:  # whatever the application raises; or the data is difficult
        walk = _Walk(packet, default)
        try:
            data = walk.replaced()
        except _Unsendable as error:
            text = f"cannot be sent as {form}: {error}"
            raise LocalProtocolError(text) from error.__cause__
        has_replaced = walk.has_replaced
    if not has_replaced:
        return packet
    return replace(packet, data=cast("JSON", data))


class _Quick:
    """Replaces values by recursion, and raises whatever comes."""

    __slots__ = ("_default", "has_called")

    def __init__(self, default: Default) -> None:
        self._default = default
        self.has_called = False

    def replaced(self, value: object, calls: int) -> object:
        """Return a value without foreign ones, which took that many calls until now."""
        while not isinstance(value, _WITH_A_FORM):
            result = self._default(value)
            self.has_called = True
            if result is value or calls == MAX_CALLS:
                raise RecursionError
            value, calls = result, calls + 1
        if isinstance(value, dict):
            if _LEAVES.issuperset(map(type, value.values())):
                return value
            return {
                key: one if type(one) in _LEAVES else self.replaced(one, calls)
                for key, one in value.items()
            }
        if isinstance(value, (list, tuple)):
            if _LEAVES.issuperset(map(type, value)):
                return value
            return [one if type(one) in _LEAVES else self.replaced(one, calls) for one in value]
        return value


class _Unsendable(Exception):
    """What cannot be sent, and where it is."""


class _Open:
    """A container whose values are being looked at.

    Attributes:
        calls: of the function that led here, one inside of the other.
        key: of the present value.
        origin: the foreign value that the container has replaced, or the container itself.
        values: the container; its copy, once something in it has been replaced.
    """

    __slots__ = ("_is_copy", "_left", "calls", "key", "origin", "values")

    def __init__(self, container: _Container, calls: int, origin: object) -> None:
        self.calls = calls
        self.key: object = None
        self._left = _items(container)
        self.origin = origin
        self.values = container
        self._is_copy = False

    def rest(self) -> Iterator[object]:
        """Yield the values behind the present one; each is the present one then."""
        for key, value in self._left:
            self.key = key
            yield value

    def put(self, value: object) -> bool:
        """Put a value into the copy, in place of the present one; return whether that is new."""
        was_copy, self._is_copy = self._is_copy, True
        if not was_copy:
            values = self.values
            self.values = dict(values) if isinstance(values, dict) else list(values)
        self.values[self.key] = value  # type: ignore[index, call-overload]  # a dict or a list
        return not was_copy


def _items(container: _Container) -> Iterator[tuple[object, object]]:
    return iter(container.items() if isinstance(container, dict) else enumerate(container))


class _Walk:
    """Goes through a packet's data, in order, and keeps the open containers in a list."""

    def __init__(self, packet: Packet, default: Default) -> None:
        self.has_replaced = False
        self._packet = packet
        self._default = default
        self._open: list[_Open] = []
        self._levels: dict[int, int] = {}  # of the open containers and their origins, by identity

    def replaced(self) -> object:
        """Return the data without foreign values."""
        root = _Open([self._packet.data], 0, None)
        self._open.append(root)
        while self._open:
            last = self._open[-1]
            for value in last.rest():
                if type(value) not in _LEAVES and self._enters(value, last.calls):
                    break
            else:
                self._levels.pop(id(self._open.pop().origin), None)
        return root.values[0]

    def _enters(self, value: object, calls: int) -> bool:
        """Replace a foreign value; return whether the values in it are the next to look at."""
        origin = value
        if id(origin) in self._levels:
            above = self._place(self._levels[id(origin)])
            raise _Unsendable(f"{self._place()} contains itself: it is {above}")
        while not isinstance(value, _WITH_A_FORM):
            if calls == MAX_CALLS:
                problem = f"json_default was called {calls} times for what it returned itself"
                raise self._unsendable(value, problem)
            calls += 1
            value = self._call(value)
        if value is not origin:
            self._put(value)
        if not isinstance(value, (dict, list, tuple)):
            return False
        if _LEAVES.issuperset(map(type, value.values() if isinstance(value, dict) else value)):
            return False
        if len(self._open) > MAX_LEVELS:
            raise _Unsendable("it is nested too deeply")
        self._levels[id(origin)] = len(self._open)
        self._open.append(_Open(value, calls, origin))
        return True

    def _call(self, value: object) -> object:
        """Call the function for a foreign value."""
        try:
            result = self._default(value)
        except Exception as error:  # whatever the application raises
            problem = f"json_default raised {type(error).__name__}: {error}"
            raise self._unsendable(value, problem) from error
        if result is value:
            raise self._unsendable(value, "json_default returned it as it is")
        return result

    def _unsendable(self, value: object, problem: str) -> _Unsendable:
        return _Unsendable(f"{type_name(value)} at {self._place()} ({problem})")

    def _put(self, value: object) -> None:
        """Put a value in place of the present one; what it is in is copied as far as needed."""
        self.has_replaced = True
        for container in reversed(self._open):
            if not container.put(value):
                return
            value = container.values

    def _place(self, level: int | None = None) -> str:
        """Return the path to the present value, or to the container of a level."""
        return shown_place(self._packet, [one.key for one in self._open[1:level]])
