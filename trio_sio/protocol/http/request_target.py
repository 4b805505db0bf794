"""The target of a request, in the four forms of RFC 9112, section 3.2."""

import re
from typing import NamedTuple

_URI_HOST = r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9._~!$&'()*+,;=-]|%[0-9A-Fa-f]{2})*)"
_HOST = re.compile(rf"{_URI_HOST}(?::[0-9]*)?")
_ABSOLUTE = re.compile(
    rf"(?:https?|wss?)://({_URI_HOST}(?::[0-9]*)?)((?:[/?].*)?)", re.IGNORECASE | re.DOTALL
)


class Target(NamedTuple):
    """A target that this server can be asked for.

    Attributes:
        text: path and query, as they came, or "*".
        host: what stands in place of the Host field, `None` if the target does not say it.
    """

    text: str
    host: str | None = None


def is_host(value: str) -> bool:
    """Whether `value` can be that of a Host field (RFC 9112, 3.2): a host, perhaps a port."""
    return _HOST.fullmatch(value) is not None


def parse_target(method: str, target: str) -> Target:
    """Read the target of a request.

    The fragment, which a client keeps to itself (RFC 9110, 4.1) but some send, is left out. The
    path stays as it came: whoever answers by paths compares the same bytes as the proxies before
    this server do.

    Args:
        method: of the request; "*" is for OPTIONS alone.
        target: such as "/socket.io/?EIO=3" or "http://here/socket.io/?EIO=3", visible ASCII.

    Raises:
        ValueError: it has none of the forms; the message is a sentence.
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
