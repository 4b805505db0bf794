"""Parses the target of a request, which has one of the four forms of RFC 9112, section 3.2."""

import re
from typing import NamedTuple

_URI_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)"
_HOST = re.compile(rf"{_URI_HOST}(?::[0-9]*)?")
_ABSOLUTE = re.compile(
    rf"(?:https?|wss?)://({_URI_HOST}(?::[0-9]*)?)((?:[/?].*)?)", re.IGNORECASE | re.DOTALL
)


class Target(NamedTuple):
    """A target that this server accepts.

    Attributes:
        text: path and query, as they were sent, or "*".
        host: replaces the Host field; `None` if the target has no host.
    """

    text: str
    host: str | None = None


def is_host(value: str) -> bool:
    """Whether `value` can be the value of a Host field (RFC 9112, 3.2): a host, perhaps a port."""
    return _HOST.fullmatch(value) is not None


def parse_target(method: str, target: str) -> Target:
    """Parse the target of a request.

    A fragment, which clients should not send (RFC 9110, 4.1) but some do, is dropped. The path is
    kept as it was sent: whoever routes by paths compares the same bytes as the proxies before this
    server.

    Args:
        method: of the request; "*" is for OPTIONS only.
        target: such as "/socket.io/?EIO=3" or "http://here/socket.io/?EIO=3", visible ASCII.

    Raises:
        ValueError: it has none of the forms; the message says so.
    """
    text = target.partition("#")[0]
    if text.startswith("/") or (text == "*" and method == "OPTIONS"):
        return Target(text)
    absolute = _ABSOLUTE.fullmatch(text)
    if absolute is None or not absolute[1]:
        raise ValueError("the target of a request must begin with '/' or 'http://' and a host")
    host, rest = absolute.groups()
    if not rest and method == "OPTIONS":  # RFC 9112, 3.2.4
        return Target("*", host)
    return Target(rest if rest.startswith("/") else f"/{rest}", host)
