"""Checks the responses of applications, and says what is wrong with one."""

import re
from collections.abc import AsyncIterable

_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"(?:[!-~\x80-\xff](?:[\t -~\x80-\xff]*[!-~\x80-\xff])?)?")
"""RFC 9110, 5.5: it begins and ends with a visible character."""
_LENGTH = re.compile("[0-9]{1,15}")

WITHOUT_BODY = frozenset({204, 304})
"""Statuses whose responses end with the head, and have no Content-Length (RFC 9110, 8.6).

A 304 may have the length of the 200, but one that says 0 makes a cache drop its content."""

_WITHOUT_CONTENT = WITHOUT_BODY | {205}


def check_response(status: object, headers: object, body: object) -> None:
    """Check the parts of a response.

    Raises:
        TypeError: one of them is of another type.
        ValueError: one of them cannot be sent.
    """
    if isinstance(status, bool) or not isinstance(status, int):
        raise TypeError(f"a response's status must be an int, not {status!r}")
    if not 200 <= status <= 599:
        raise ValueError(f"a response's status must be from 200 to 599, not {status!r}")
    is_streamed = isinstance(body, AsyncIterable)
    if not isinstance(body, bytes) and not is_streamed:
        wanted = "bytes or an async iterable of bytes"
        raise TypeError(f"a response's body must be {wanted}, not {_short(body)}")
    if body and status in _WITHOUT_CONTENT and not is_streamed:
        raise ValueError(f"a response of status {status} has no body, not {_short(body)}")
    if not isinstance(headers, (list, tuple)):
        wanted = "a list of pairs of a name and a value"
        raise TypeError(f"a response's headers must be {wanted}, not {_short(headers)}")
    lengths = [value for name, value in map(_check_field, headers) if name == "content-length"]
    if len(lengths) > 1:
        raise ValueError(f"a response has one Content-Length at most, not {len(lengths)}")
    # Without a body it may be a response to HEAD; see `check_length`.
    if isinstance(body, bytes) and body and lengths and int(lengths[0]) != len(body):
        raise _wrong_length(lengths[0], body)


def check_length(
    method: str,
    status: int,
    headers: list[tuple[str, str]],
    body: bytes | AsyncIterable[bytes],
) -> None:
    """Check a response's Content-Length against its body, now that the method is known.

    A body that is streamed is checked while it is sent.

    Raises:
        ValueError: the client would wait for bytes that are never sent.
    """
    if not isinstance(body, bytes) or method == "HEAD" or status in WITHOUT_BODY:
        return
    for name, value in headers:
        if name.lower() == "content-length" and int(value) != len(body):
            raise _wrong_length(value, body)


def _check_field(field: object) -> tuple[str, str]:
    """Return a field, its name in lower case."""
    if not isinstance(field, (list, tuple)) or len(field) != 2:
        raise TypeError(f"a field of a response must be a name and a value, not {_short(field)}")
    name, value = field
    if not isinstance(name, str) or not isinstance(value, str):
        raise TypeError(f"a field's name and value must be of type str, not {_short(field)}")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{_short(name)} cannot be the name of a field")
    if not _VALUE.fullmatch(value):
        raise ValueError(f"{_short(value)} cannot be the value of field {name!r}")
    lower = name.lower()
    if lower == "transfer-encoding":
        raise ValueError(f"the server frames a response itself: it cannot have field {name!r}")
    if lower == "content-length" and not _LENGTH.fullmatch(value):
        raise ValueError(f"field {name!r} must be a number of bytes, not {_short(value)}")
    return lower, value


def _wrong_length(value: str, body: bytes) -> ValueError:
    return ValueError(f"a response's Content-Length is {value}, its body has {len(body)} bytes")


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."
