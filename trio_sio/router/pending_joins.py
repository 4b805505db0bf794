"""The namespaces that one client is about to join, and what each of them waits for."""

from typing import NamedTuple

import trio

from trio_sio.router.dialect import Auth
from trio_sio.router.namespace import Namespace, ParentNamespace
from trio_sio.router.socket import Socket

Joinable = Namespace | ParentNamespace


class AwaitsRoot(NamedTuple):
    """A request that waits until the client has joined "/".

    Attributes:
        auth: what the client said with it.
        found: what it asked for.
    """

    auth: Auth
    found: Joinable


Pending = trio.CancelScope | AwaitsRoot | Socket | None
"""What a join waits for: the function of a dynamic namespace, or the former socket of a client that
has come back, whose scope it is; "/"; its own middleware; or, `None`, its former socket."""


class PendingJoins(dict[str, Pending]):
    """What each join waits for, by the namespace's name, in the order of the requests."""

    __slots__ = ()

    def sockets(self) -> list[Socket]:
        """Return the sockets that middleware has not let in yet."""
        return [one for one in self.values() if isinstance(one, Socket)]

    def next_waiting(self) -> tuple[str, AwaitsRoot] | None:
        """Return the name and the request that has waited longest for "/"."""
        for name, waiting in self.items():
            if isinstance(waiting, AwaitsRoot):
                return name, waiting
        return None

    def cancel(self) -> None:
        """Stop waiting for functions and former sockets: the client has left."""
        for pending in self.values():
            if isinstance(pending, trio.CancelScope):
                pending.cancel()


NOTHING = PendingJoins()
"""In place of a table of one's own, which takes 64 bytes, or 230 after its first use."""
