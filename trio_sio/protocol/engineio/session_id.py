"""Session ids that name the node which has the session, as `w3.pMx0aBcDeFgHiJkLmNoP`.

The part before the full stop is the node id, which a proxy can route by. Behind it there are 120
random bits, which alone have no full stop. Everything is safe in URLs, cookies and Redis channels.
"""

import re

NODE_ID_CHARACTERS = 32

_NODE_ID = re.compile(rf"[0-9A-Za-z_-]{{1,{NODE_ID_CHARACTERS}}}")
_OURS = re.compile(rf"({_NODE_ID.pattern})\.[0-9A-Za-z_-]{{20}}")


def is_node_id(text: str) -> bool:
    """Return whether a session id may begin with this."""
    return _NODE_ID.fullmatch(text) is not None


def with_node(node_id: str, random: str) -> str:
    """Return a session id of a node; `node_id` is `""` for one without."""
    return f"{node_id}.{random}" if node_id else random


def node_of(sid: str) -> str:
    """Return the node that a session id names; `""` if it names none."""
    match = _OURS.fullmatch(sid)
    return "" if match is None else match[1]
