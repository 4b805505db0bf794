"""Converts what a client sent into values of a type, by msgspec, the extra `typed`.

Checks are strict: a text is no number. Bytes are what comes as an attachment, never base64. What
is wrong is told without the value: reasons that quote one are cut for the log.
"""

import re
from typing import Any

from trio_sio.logs.shown import printable

try:
    import msgspec
except ImportError as error:
    raise ImportError("validate needs a library: pip install 'trio-sio[typed]'") from error

_BINARY = (bytes, bytearray, memoryview)
_SHOWN = 200
"""Characters of a reason that a client is told."""

_PLAIN = re.compile(r"(Expected |Object missing required field |Number out of range)")
"""How reasons begin that hold nothing of the client's."""

_QUOTING = re.compile(r"(Invalid enum value|Invalid value|Object contains unknown field)")
"""How those begin that quote the client."""

_PLACE = re.compile(r" - at (?:`key` in )?`\$[^`]*`$")


class WrongValue(Exception):
    """A value of another type.

    Args:
        reason: what is wrong.
        loggable: the same without anything that the client sent.
    """

    def __init__(self, reason: str, loggable: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.loggable = loggable


def check_type(declared: object) -> None:
    """Check that values of a type can come from a client.

    Raises:
        TypeError: they cannot.
    """
    msgspec.json.schema_components([declared], schema_hook=_schema_of_custom)


def _schema_of_custom(custom: object) -> dict[str, Any]:
    if custom is object:
        return {"description": "anything"}  # an empty one counts as none
    raise NotImplementedError


def convert(value: object, declared: Any) -> object:  # noqa: ANN401 - a type
    """Return the value as one of a type.

    Raises:
        WrongValue: it is none.
    """
    try:
        return msgspec.convert(value, declared, strict=True, builtin_types=_BINARY)
    except msgspec.ValidationError as error:
        reason = str(error)
    except (ValueError, OverflowError):  # half a surrogate pair, for one
        reason = "Invalid value"
    except RecursionError:
        reason = "Expected a value with fewer levels"
    # The cause is left out: its text holds the value.
    raise WrongValue(printable(reason, _SHOWN), _loggable(reason)) from None


def _loggable(reason: str) -> str:
    place = _PLACE.search(reason)
    if _PLAIN.match(reason):
        return printable(reason, _SHOWN)
    quoting = _QUOTING.match(reason)
    words = quoting[0] if quoting else "Invalid value"  # those of an application may hold anything
    return words + (printable(place[0], _SHOWN) if place else "")
