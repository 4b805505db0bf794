"""The namespaces and the clients of one server.

The router is an object, not a task. A task would impose an order that nobody needs, and one slow
middleware would stop every client.
"""

from collections.abc import Callable, Coroutine
from typing import Any

from trio_sio.abc import Adapter, PacketDecoder, PacketEncoder, Session
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.router.client import Client
from trio_sio.router.context import RouterContext
from trio_sio.router.dialect import Dialect
from trio_sio.router.namespaces import Namespaces


class Router:
    """Namespaces and clients of one server.

    Args:
        codec: makes a decoder for each session, and has the encoder of all.
        make_adapter: makes one adapter for each namespace.
        cleanup: whether dynamic namespaces go with their last socket.
        context: what clients, namespaces and sockets share.

    Attributes:
        namespaces: by name.
        root: the namespace "/".
        clients: the clients that are connected.
        make_decoder: makes a decoder for a 2.x client.
        context: as above.
    """

    def __init__(
        self,
        *,
        codec: Codec,
        make_adapter: Callable[[Any], Adapter],
        cleanup: bool,
        context: RouterContext,
    ) -> None:
        self.make_decoder = codec.make_decoder
        self._make_decoder_5 = codec.make_decoder_5
        self.context = context
        self.namespaces = Namespaces(codec, make_adapter, context, cleanup=cleanup)
        self.root = self.namespaces.of("/")
        self.clients: set[Client] = set()

    @property
    def encoder(self) -> PacketEncoder:
        """Encodes packets, for all sessions."""
        return self.namespaces.codec.encoder

    def change_codec(self, codec: Codec) -> None:
        """Speak by another parser, in the namespaces that exist, too."""
        self.make_decoder, self._make_decoder_5 = codec.make_decoder, codec.make_decoder_5
        self.namespaces.change_codec(codec)

    def serve(self, session: Session) -> Coroutine[Any, Any, None]:
        """Serve one session until it ends; the engine's handler, to be awaited."""
        self.context.home.check("io.serve_session")
        client = Client(session, self.namespaces, self.context)
        return client.run(self._make_decoder_for, self.clients)

    def _make_decoder_for(self, dialect: Dialect) -> PacketDecoder:
        return (self._make_decoder_5 if dialect.is_strict else self.make_decoder)()
