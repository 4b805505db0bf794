"""What one visitor, and all of them together, may use.

Every table of the demo is bounded by a number of this file. The page gets them on arrival and
says no before it sends; the server checks again, because a client can send anything.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """The bounds of the demo; tests make small ones."""

    nick_length: int = 24
    room_length: int = 32
    text_length: int = 2_000
    image_bytes: int = 2_000_000
    rooms: int = 100
    rooms_each: int = 12
    history: int = 50
    listed_rooms: int = 30
    burst: int = 30  # what a visitor may send at once: a name and a dozen rooms after a reconnect
    pace: float = 6.0  # … and per second after that
