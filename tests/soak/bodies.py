"""What messages carry: mostly little, sometimes bytes, sometimes more than 100 KB."""

import random
from collections import Counter

import trio_sio

_WORDS = ("", "soup", "Grüße", "語", "𝄞 clef", "\0", "back\\slash", '"quoted"', "2:40", "\x1e")
_LARGE = 100_000


class Bodies:
    """Draws bodies.

    Args:
        seed: the same seed draws the same bodies.

    Attributes:
        drawn: how many, by kind.
    """

    def __init__(self, seed: str) -> None:
        self._random = random.Random(seed)
        self.drawn: Counter[str] = Counter()

    def draw(self) -> trio_sio.JSON:
        """Return a body of any kind."""
        kinds = ("text", "bytes", "large text", "large bytes")
        kind = self._random.choices(kinds, (80, 19, 0.5, 0.5))[0]
        self.drawn[kind] += 1
        size = self._random.randrange(_LARGE, 2 * _LARGE)
        match kind:
            case "text":
                return self._text()
            case "bytes":
                count = self._random.randint(1, 4)
                return [self._text(), *(self._bytes(300) for _ in range(count))]
            case "large text":
                return "ä" + self._random.choice("xyz") * size
            case _:
                return {"name": self._text(), "data": [self._random.randbytes(size), b""]}

    def _text(self) -> trio_sio.JSON:
        words = self._random.choices(_WORDS, k=self._random.randrange(6))
        return {"words": list(words), "count": self._random.randrange(2**40), "none": None}

    def _bytes(self, most: int) -> bytes:
        return self._random.randbytes(self._random.randrange(most))
