"""Where a socket stands, from its first step to its last."""

from enum import Enum, auto


class Phase(Enum):
    """Each socket goes through these in their order; one that is refused is never connected."""

    JOINING = auto()
    CONNECTED = auto()
    ENDED = auto()
