"""The types of ASGI 3 (https://asgi.readthedocs.io, "Specification")."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApplication = Callable[[Scope, Receive, Send], Awaitable[None]]

VERSIONS = {"version": "3.0", "spec_version": "2.4"}
"""With 2.4, sending to a client that has left raises an OSError."""


class ClientGone(OSError):
    """An application sends to a client that has left."""
