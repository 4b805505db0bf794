"""The option `cors`: the header fields that let pages of other origins read responses."""

import re
from collections.abc import Collection, Mapping

from trio_sio.options import checks

CORSOption = Mapping[str, object] | None
"""Some of what the npm package `cors` takes, in Python's names."""

METHODS = "GET,HEAD,PUT,PATCH,POST,DELETE"
"""What the npm package allows by default."""


_ORIGIN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[!-.0-~]+|null")
"""As browsers write it: a scheme, a host and perhaps a port, or `null`."""


def _origin(name: str, value: object) -> None:
    wanted = "a str, a bool, a pattern, or a collection of str and patterns"
    if isinstance(value, (bool, str, re.Pattern)):
        several: Collection[object] = [value]
    elif isinstance(value, Collection) and not isinstance(value, (bytes, Mapping)):
        several = value
    else:
        raise TypeError(checks.wrong(name, wanted, value))
    for one in several:
        if isinstance(one, re.Pattern):
            if not isinstance(one.pattern, str):
                raise TypeError(checks.wrong(name, "a pattern of str", value))
        elif isinstance(one, str):
            if not (_ORIGIN.fullmatch(one) or (one == "*" and one is value)):
                raise ValueError(checks.wrong(name, "origins such as 'https://a.example'", value))
        elif one is not value:
            raise TypeError(checks.wrong(name, wanted, value))


_CHECKS: dict[str, checks.Check] = {
    "origin": _origin,
    "methods": checks.field_names,
    "allowed_headers": checks.field_names,
    "exposed_headers": checks.field_names,
    "credentials": checks.flag,
    "max_age": checks.age,
}


def check_cors(name: str, value: object) -> None:
    """Check a mapping, or `None`.

    Raises:
        TypeError: a key that does not exist, or a wrong type.
        ValueError: a value that cannot stand in a header field, or that browsers would not take.
    """
    if value is None:
        return
    if not isinstance(value, Mapping):
        raise TypeError(checks.wrong(name, "a mapping or None", value))
    for key, given in value.items():
        if key not in _CHECKS:
            raise TypeError(f"option {name!r} has no {key!r}; it knows {sorted(_CHECKS)}")
        _CHECKS[key](f"{name}: {key}", given)
    if value.get("credentials") is True and value.get("origin", "*") == "*":
        wanted = "other than '*' if there are 'credentials': True, or the origins"
        raise ValueError(checks.wrong(f"{name}: origin", wanted, "*"))


def listed(value: object) -> str:
    """Return one name, or several, as a header field has them."""
    return value if isinstance(value, str) else ",".join(value)  # type: ignore[arg-type]  # checked
