"""Parses header fields whose value is a list, which may be spread over several fields of one name.

RFC 9110, 5.6.1: elements are separated by commas, with optional white space around them, and empty
ones do not count. None of the lists that are parsed here has quoted strings in it.
"""

from collections.abc import Iterable

_OWS = " \t"


def elements(values: Iterable[str]) -> list[str]:
    """Return the elements of a list.

    Args:
        values: of all fields of its name, in their order.
    """
    stripped = [one.strip(_OWS) for value in values for one in value.split(",")]
    return [one for one in stripped if one]


def has_element(values: Iterable[str], wanted: str) -> bool:
    """Whether one of the elements is `wanted`, a token in lower case, in any case."""
    return any(one.lower() == wanted for one in elements(values))
