"""Which part of a file a request asks for, and under which conditions (RFC 9110, 13 and 14)."""

import re
from email.utils import parsedate_to_datetime

from trio_sio.http import Request
from trio_sio.protocol.http.entity_tags import has_tag
from trio_sio.static_files.folder import File

_RANGE = re.compile(r"bytes=[ \t]*([0-9]{0,18})-([0-9]{0,18})[ \t]*")


def precondition(request: Request, file: File) -> int:
    """Return 304, 412, or 200 if nothing speaks against the request (RFC 9110, 13.2.2)."""
    headers = request.headers
    if "if-match" in headers:
        if not has_tag(headers.get_all("if-match"), file.etag, strongly=True):
            return 412
    elif "if-unmodified-since" in headers:
        since = _second_of(headers["if-unmodified-since"])
        if since is not None and file.second > since:
            return 412
    if "if-none-match" in headers:
        return 304 if has_tag(headers.get_all("if-none-match"), file.etag) else 200
    since = _second_of(headers.get("if-modified-since"))
    return 304 if since is not None and file.second <= since else 200


def _second_of(date: str) -> float | None:
    try:
        return parsedate_to_datetime(date).timestamp()
    except (ValueError, OverflowError):
        return None


def wanted_range(request: Request, file: File) -> tuple[int, int] | None:
    """Return the start and the bytes of the range that is asked for; `None` for the whole file.

    No bytes are for a range that the file has not. More than one range, and what is no range, are
    ignored, as RFC 9110, 14.2 allows.
    """
    fields = request.headers.get_all("range")
    if request.method != "GET" or len(fields) != 1:
        return None
    found = _RANGE.fullmatch(fields[0])
    if found is None or found.groups() == ("", ""):
        return None
    condition = request.headers.get("if-range")
    if condition and condition != file.etag and _second_of(condition) != file.second:
        return None
    first, last = found.groups()
    if not first:  # the last bytes of the file
        size = min(int(last), file.size)
        return file.size - size, size
    if last and int(last) < int(first):
        return None
    end = min(int(last) + 1, file.size) if last else file.size
    return int(first), end - int(first)
