"""The namespaces and the clients of one server.

The router is an object, not a task. A task would impose an order that nobody needs, and one slow
middleware would stop every client.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from trio_sio.abc import Adapter, PacketDecoder, PacketEncoder, Session
from trio_sio.router.client import Client
from trio_sio.router.context import RouterContext
from trio_sio.router.namespaces import Namespaces


class Router:
    """Namespaces and clients of one server.

    Args:
        encoder: encodes packets, for all sessions.
        make_decoder: makes one decoder for each session.
        make_adapter: makes one adapter for each namespace.
        cleanup: whether dynamic namespaces go with their last socket.
        context: what clients, namespaces and sockets share.

    Attributes:
        namespaces: by name.
        root: the namespace "/".
        clients: the clients that are connected.
        make_decoder, context: as above.
    """

    def __init__(
        self,
        *,
        encoder: PacketEncoder,
        make_decoder: Callable[[], PacketDecoder],
        make_adapter: Callable[[Any], Adapter],
        cleanup: bool,
        context: RouterContext,
    ) -> None:
        self.make_decoder = make_decoder
        self.context = context
        self.namespaces = Namespaces(encoder, make_adapter, context, cleanup=cleanup)
        self.root = self.namespaces.of("/")
        self.clients: set[Client] = set()

    @property
    def encoder(self) -> PacketEncoder:
        """Encodes packets, for all sessions."""
        return self.namespaces.encoder

    def change_codec(
        self, encoder: PacketEncoder, make_decoder: Callable[[], PacketDecoder]
    ) -> None:
        """Speak by another parser, in the namespaces that exist, too."""
        self.make_decoder = make_decoder
        self.namespaces.change_encoder(encoder)

    def serve(self, session: Session) -> Coroutine[Any, Any, None]:
        """Serve one session until it ends; the engine's handler, to be awaited."""
        self.context.home.check("io.serve_session")
        client = Client(session, self.namespaces, self.context)
        return client.run(self.make_decoder(), self.clients)
