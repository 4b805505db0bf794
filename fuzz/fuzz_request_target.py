"""Any target becomes a path or "*", and perhaps a host, or raises ValueError.

What it became is a target that becomes the same.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.http.request_target import is_host, parse_target

NAME = "request_target"


def fuzz(data: bytes) -> Hashable:
    """Parse `data` as the target of a request, of OPTIONS too, and as a host."""
    text = data.decode("latin-1")
    return (*(_parse(method, text) for method in ("GET", "OPTIONS")), is_host(text))


def _parse(method: str, text: str) -> Hashable:
    try:
        target = parse_target(method, text)
    except ValueError as error:
        return str(error)[:30]
    assert target.text.startswith("/") or (target.text == "*" and method == "OPTIONS")
    assert "#" not in target.text
    assert target.host is None or (target.host and is_host(target.host))
    assert parse_target(method, target.text) == (target.text, None)
    if target.host is not None and target.text != "*":
        assert parse_target(method, f"http://{target.host}{target.text}") == target
    return (target.text[:1], "?" in target.text, target.host is None)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
