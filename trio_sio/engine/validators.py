"""Conditional requests: whether the client has already what it asks for (RFC 9110, 13)."""

import re

from trio_sio.engine.message import Request

_TAGS = re.compile(r'(?:W/)?("[!#-~\x80-\xff]*")')
"""8.8.3: a tag may have a comma in it."""


def has_current(request: Request, etag: str) -> bool:
    """Whether a GET or HEAD is to be answered 304, since the client has what `etag` stands for.

    `If-None-Match` compares weakly (13.1.2): whether a tag is marked as weak says nothing about
    whether what it stands for will do. `If-Modified-Since` is for answers with a `Last-Modified`,
    of which this server has none.
    """
    if request.method not in ("GET", "HEAD"):
        return False
    field = ", ".join(request.headers.get_all("if-none-match"))
    return field.strip() == "*" or etag.removeprefix("W/") in _TAGS.findall(field)
