"""Checks of an option's value: each one raises an error that says what is allowed.

A check is a function `(name, value)`. It raises `TypeError` for a value of a wrong type and
`ValueError` for one out of its range; a word that is not one of those allowed is a `ValueError`
whatever its type.
"""

import re
from collections.abc import Callable, Collection, Iterable, Mapping
from inspect import iscoroutinefunction
from pathlib import Path

from trio_sio.abc import WebApplication
from trio_sio.options.hints import wrong_origin
from trio_sio.protocol.engineio.session_id import NODE_ID_CHARACTERS, is_node_id
from trio_sio.protocol.http.forwarded import MAX_HOPS, Proxies

Check = Callable[[str, object], None]

_FIELD_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""RFC 9110, section 5.6.2: token."""


def wrong(name: str, wanted: str, value: object) -> str:
    """Return the message of an error: the option, what is allowed, and what was given."""
    return f"option {name!r} must be {wanted}, not {value!r}"


def number(
    *,
    above: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
    or_none: bool = False,
) -> Check:
    """Check an int or float. NaN is in no range."""
    range_ = " and ".join(
        f"{words} {bound}"
        for words, bound in (("more than", above), ("at least", at_least), ("at most", at_most))
        if bound is not None
    )
    kind = "a number or None" if or_none else "a number"

    def check(name: str, value: object) -> None:
        if value is None and or_none:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(wrong(name, kind, value))
        if not (
            (above is None or value > above)
            and (at_least is None or value >= at_least)
            and (at_most is None or value <= at_most)
        ):
            raise ValueError(wrong(name, range_, value))

    return check


def count(*, or_none: bool = False) -> Check:
    """Check an int of at least 1."""
    kind = "an int or None" if or_none else "an int"

    def check(name: str, value: object) -> None:
        if value is None and or_none:
            return
        if isinstance(value, bool) or not isinstance(value, int):
            raise TypeError(wrong(name, kind, value))
        if value < 1:
            raise ValueError(wrong(name, "at least 1", value))

    return check


def flag(name: str, value: object) -> None:
    """Check a bool."""
    if not isinstance(value, bool):
        raise TypeError(wrong(name, "True or False", value))


def flag_or_none(name: str, value: object) -> None:
    """Check a bool that may be `None`."""
    if value is not None and not isinstance(value, bool):
        raise TypeError(wrong(name, "True, False or None", value))


def word(allowed: Iterable[str | None]) -> Check:
    """Check that the value is one of some words."""
    words = tuple(allowed)

    def check(name: str, value: object) -> None:
        if value not in words:
            raise ValueError(wrong(name, f"one of {', '.join(map(repr, words))}", value))

    return check


def words(allowed: Iterable[str]) -> Check:
    """Check that the value is a collection of one or more of some words."""
    known = tuple(allowed)

    def check(name: str, value: object) -> None:
        is_collection = isinstance(value, Collection) and not isinstance(value, str)
        if not is_collection or not value or not all(one in known for one in value):  # type: ignore[attr-defined]  # it is a collection
            raise ValueError(
                wrong(name, f"a collection of {' and '.join(map(repr, known))}", value)
            )

    return check


def numbers(allowed: Iterable[int]) -> Check:
    """Check that the value is a collection of one or more of some ints."""
    known = tuple(allowed)

    def check(name: str, value: object) -> None:
        is_collection = isinstance(value, Collection) and not isinstance(value, (str, bytes))
        if not is_collection or not value or not all(map(known.__contains__, value)):  # type: ignore[call-overload]  # it is a collection
            raise ValueError(wrong(name, f"a collection of {' and '.join(map(str, known))}", value))

    return check


def function(name: str, value: object) -> None:
    """Check a callable that may be `None`."""
    if value is not None and not callable(value):
        raise TypeError(wrong(name, "callable or None", value))


def plain_function(name: str, value: object) -> None:
    """Check a callable that is not async and may be `None`."""
    if value is not None and (not callable(value) or iscoroutinefunction(value)):
        raise TypeError(wrong(name, "a function that is not async, or None", value))


def function_or_application(name: str, value: object) -> None:
    """Check a callable or a `WebApplication` that may be `None`."""
    if value is not None and not callable(value) and not isinstance(value, WebApplication):
        raise TypeError(wrong(name, "callable, a WebApplication or None", value))


def url_path(name: str, value: object) -> None:
    """Check a path that begins with a slash."""
    if not isinstance(value, str) or not value.startswith("/"):
        raise ValueError(wrong(name, "a path that begins with a slash", value))


def flag_or_folder(name: str, value: object) -> None:
    """Check a bool, `"4"`, or the path of a folder."""
    if value == "4":
        return
    if not isinstance(value, (bool, str, Path)):
        raise TypeError(wrong(name, "True, False, '4' or the path of a folder", value))
    if not isinstance(value, bool) and not Path(value).is_dir():
        raise ValueError(wrong(name, "True, False, '4' or the path of a folder that exists", value))


def origins(name: str, value: object) -> None:
    """Check `"*"`, one origin, several, or a function."""
    if callable(value):
        return
    if isinstance(value, str):
        value = value.split()
    if not isinstance(value, Collection) or not all(isinstance(one, str) for one in value):
        raise TypeError(wrong(name, "a str, a collection of str, or a function", value))
    for problem in filter(None, map(wrong_origin, value)):
        raise ValueError(f"option {name!r}: {problem}")


def field_names(name: str, value: object) -> None:
    """Check `"*"`, the name of one HTTP header field, or several."""
    wanted = '"*", the name of a header field, or a collection of such names'
    if not isinstance(value, Collection) or isinstance(value, (bytes, Mapping)):
        raise TypeError(wrong(name, wanted, value))
    for field_name in [value] if isinstance(value, str) else value:
        if not isinstance(field_name, str):
            raise TypeError(wrong(name, wanted, value))
        if not _FIELD_NAME.fullmatch(field_name):
            raise ValueError(wrong(name, wanted, value))


def cookie_text(forbidden: str) -> Check:
    """Check a str that can stand in `Set-Cookie` without ending it or adding to it, or `None`."""

    def check(name: str, value: object) -> None:
        if value is None:
            return
        if not isinstance(value, str) or not value or not all(map(may_stand, value)):
            wanted = f"printable ASCII without any of {forbidden!r}, or None"
            raise ValueError(wrong(name, wanted, value))

    def may_stand(letter: str) -> bool:
        return " " <= letter <= "~" and letter not in forbidden

    return check


def node_id(name: str, value: object) -> None:
    """Check what session ids may begin with; `""` for nothing."""
    if not isinstance(value, str):
        raise TypeError(wrong(name, "a str", value))
    if value and not is_node_id(value):
        wanted = f"up to {NODE_ID_CHARACTERS} letters of ASCII, digits, '_' and '-'"
        raise ValueError(wrong(name, wanted, value))


def parser(name: str, value: object) -> None:
    """Check "msgpack", an object with two factories, or `None`."""
    if value is None or value == "msgpack":
        return
    if not all(callable(getattr(value, factory, None)) for factory in ("Encoder", "Decoder")):
        wanted = '"msgpack", an object with Encoder and Decoder, or None'
        raise TypeError(wrong(name, wanted, value))


def proxies(name: str, value: object) -> None:
    """Check a number of proxies, "unix", "all", addresses and networks, or `None`."""
    wanted = f'1 to {MAX_HOPS}, addresses or networks, "unix", "all", or None'
    if value is None:
        return
    if isinstance(value, int) and not isinstance(value, bool):
        if not 1 <= value <= MAX_HOPS:
            raise ValueError(wrong(name, wanted, value))
        return
    is_collection = isinstance(value, Collection) and not isinstance(value, (bytes, Mapping))
    if not is_collection or not all(isinstance(one, str) for one in value):  # type: ignore[attr-defined]  # it is a collection
        raise TypeError(wrong(name, wanted, value))
    try:
        Proxies.of(value)  # type: ignore[arg-type]  # it has been checked above
    except ValueError:
        raise ValueError(wrong(name, wanted, value)) from None


def age(name: str, value: object) -> None:
    """Check an int that may be `None`."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise TypeError(wrong(name, "an int or None", value))
