"""Finds the value that an encoder cannot send, and its path in the packet.

An encoder's own error does not say where the value is, which nobody finds in a large event. Looking
at each value takes longer than encoding, but is done only after encoding has failed. There is no
recursion, since data may be nested too deeply or contain itself.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from itertools import islice

from trio_sio.protocol.socketio.packet import Packet, PacketType

MAX_VALUES = 100_000
"""Values that are examined, which takes some tenths of a second."""

_SHOWN_STEPS = 12
"""Steps of a path that are shown; the middle of a longer one is left out."""

_SHOWN_KEY = 40
"""Characters of a key that are shown."""

_EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)
_ACKS = (PacketType.ACK, PacketType.BINARY_ACK)
_KEYS = (str, int, float, bool, type(None))
_ALWAYS_SENDABLE = (str, bool, type(None))

Path = tuple["Path | None", str]
"""The path of a value's container, and the last step: `[0]`, or `["name"]`."""


def type_name(value: object) -> str:
    """Return the name of a value's type, with its module unless it is a built-in type."""
    kind = type(value)
    if kind.__module__ == "builtins":
        return kind.__qualname__
    return f"{kind.__module__}.{kind.__qualname__}"


def explain(packet: Packet, error: Exception, encode_one: Callable[[object], object]) -> str:
    """Return what in a packet cannot be sent.

    Args:
        packet: a packet that an encoder refused.
        error: what it raised.
        encode_one: encodes a single value; raises if that cannot be sent.

    Returns:
        Such as `decimal.Decimal at args[0]["balance"]`; the error's own text if nothing is found.
    """
    for path, value, parents in islice(_walk(packet), MAX_VALUES):
        above = parents.get(id(value))
        if above is not None:
            return f"{_shown(path)} contains itself: it is {_shown(above)}"
        problem = _problem(value, encode_one)
        if problem:
            return f"{problem} at {_shown(path)}"
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error)


def shown_place(packet: Packet, keys: Sequence[object]) -> str:
    """Return the path to a value in a packet, as `explain` shows it.

    Args:
        packet: the packet.
        keys: the keys and indices that lead to it from `packet.data`.
    """
    path: Path = (None, "data")
    if isinstance(packet.data, list) and keys and packet.type in (*_EVENTS, *_ACKS):
        first, *keys = keys
        assert isinstance(first, int)
        path = ((None, "args"), f"[{first - (packet.type in _EVENTS)}]")
    for key in keys:
        path = (path, f"[{_key(key)}]")
    return _shown(path)


def _problem(value: object, encode_one: Callable[[object], object]) -> str:
    """Return what is wrong with a value, apart from its contents; `""` if nothing is."""
    if isinstance(value, dict):
        unusual = (key for key in value if not isinstance(key, _KEYS))
        wrong = (key for key in unusual if _failure({key: None}, encode_one) is not None)
        return next((f"a key of type {type_name(key)}" for key in wrong), "")
    if isinstance(value, (list, tuple)) or type(value) in _ALWAYS_SENDABLE:
        return ""
    failure = _failure(value, encode_one)
    if failure is None or isinstance(failure, TypeError):
        return "" if failure is None else type_name(value)
    return f"{type_name(value)} ({failure})"  # others of its type can be sent


def _failure(value: object, encode_one: Callable[[object], object]) -> Exception | None:
    try:
        encode_one(value)
    except Exception as error:  # whatever an encoder raises
        return error
    return None


def _walk(packet: Packet) -> Iterator[tuple[Path, object, dict[int, Path]]]:
    """Yield each value, in order, with its path and the paths of its containers, by identity."""
    parents: dict[int, Path] = {}
    waiting = [_roots(packet)]
    containers: list[int] = []
    while waiting:
        entry = next(waiting[-1], None)
        if entry is None:
            waiting.pop()
            if containers:
                del parents[containers.pop()]
            continue
        path, value = entry
        yield path, value, parents
        if isinstance(value, (dict, list, tuple)):
            parents[id(value)] = path
            containers.append(id(value))
            waiting.append(_items(path, value))


def _roots(packet: Packet) -> Iterator[tuple[Path, object]]:
    data: object = packet.data
    if packet.type in _EVENTS and isinstance(data, list):
        yield from _items((None, "args"), data[1:])
    elif packet.type in _ACKS and isinstance(data, list):
        yield from _items((None, "args"), data)
    else:
        yield (None, "data"), data


def _items(
    path: Path, value: dict[object, object] | list[object] | tuple[object, ...]
) -> Iterator[tuple[Path, object]]:
    if isinstance(value, dict):
        for key, one in value.items():
            yield (path, f"[{_key(key)}]"), one
    else:
        for number, one in enumerate(value):
            yield (path, f"[{number}]"), one


def _key(key: object) -> str:
    if not isinstance(key, str):
        return repr(key)
    text = key if len(key) <= _SHOWN_KEY else key[:_SHOWN_KEY] + "…"
    return json.dumps(text, ensure_ascii=False) if text.isprintable() else ascii(text)


def _shown(path: Path | None) -> str:
    steps = []
    while path is not None:
        path, step = path
        steps.append(step)
    steps.reverse()
    if len(steps) <= _SHOWN_STEPS:
        return "".join(steps)
    half = _SHOWN_STEPS // 2
    return "".join([*steps[:half], "…", *steps[-half:]])
