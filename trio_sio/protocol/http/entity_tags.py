"""Entity tags in lists, as If-Match and If-None-Match have them (RFC 9110, 8.8.3 and 13.1)."""

import re
from collections.abc import Iterable

_TAG = re.compile(r'(W/)?("[!#-~\x80-\xff]*")')  # it may have a comma in it


def has_tag(values: Iterable[str], etag: str, *, strongly: bool = False) -> bool:
    """Whether a tag is in a list, or the list is `*`.

    Args:
        values: of all fields of the name.
        etag: the tag that there is; it may be marked as weak.
        strongly: whether those that the list marks as weak do not count.
    """
    field, wanted = ", ".join(values), etag.removeprefix("W/")
    return field.strip() == "*" or any(
        tag == wanted and not (strongly and weak) for weak, tag in _TAG.findall(field)
    )
