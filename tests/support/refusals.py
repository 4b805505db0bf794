"""Bodies of refused requests: equal to the reference's, but for the sentence that ours have."""

import re
from typing import overload

_DETAIL = r',"detail":"(?:[^"\\]|\\.)*"|\n[^\n]+\n\Z'
"""In JSON; or, where a WebSocket is refused, on a line behind the text."""


class ToldBytes(bytes):
    """A body in bytes; equal to one with a detail, too."""

    __hash__ = bytes.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, bytes) and bytes(self) == re.sub(_DETAIL.encode(), b"", other)


class ToldText(str):
    """A body in text; equal to one with a detail, too."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, str) and str(self) == re.sub(_DETAIL, "", other)


@overload
def told(body: bytes) -> bytes: ...


@overload
def told(body: str) -> str: ...


def told(body: bytes | str) -> bytes | str:
    """Return what is equal to `body`, whatever sentence comes with it."""
    return ToldBytes(body) if isinstance(body, bytes) else ToldText(body)
