"""The value of the field Date (RFC 9110, 6.6.1), which each answer has.

It has no parts of a second, so it is made once in a second, whoever asks how often.
"""

import time
from email.utils import formatdate


class DateClock:
    """The present date, as `Date` has it."""

    __slots__ = ("_made",)

    def __init__(self) -> None:
        self._made = (0, "")  # one value, so that servers in other threads see both halves of it

    def now(self) -> str:
        """Return such as "Sun, 06 Nov 1994 08:49:37 GMT"."""
        second = int(time.time())
        made, text = self._made
        if second != made:
            text = formatdate(second, usegmt=True)
            self._made = (second, text)
        return text


now = DateClock().now
