"""Combines header fields that a request has more than once into one value, as Node.js does.

RFC 9110, 5.3, allows only lists to be repeated, and RFC 6265, 5.4, has cookies in one field.
Clients and proxies break both rules, and applications were written for what Node.js makes of that
in `message.headers`.
"""

from collections.abc import Sequence

_SINGLE = frozenset(
    {
        *("age", "authorization", "content-length", "content-type", "etag", "expires", "from"),
        *("host", "if-modified-since", "if-unmodified-since", "last-modified", "location"),
        *("max-forwards", "proxy-authorization", "referer", "retry-after", "server"),
        "user-agent",
    }
)
"""Fields that are no lists; the first value counts."""


def combine(name: str, values: Sequence[str]) -> str:
    """Return the one value of a field.

    Args:
        name: in lower case.
        values: at least one, in their order.
    """
    if name in _SINGLE:
        return values[0]
    return ("; " if name == "cookie" else ", ").join(values)
