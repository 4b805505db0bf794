"""The interfaces between the parts of the package, some of which applications may implement.

transport   how a session's packets travel: polling, WebSocket, memory
session     one Engine.IO client; all that the router asks of the engine
web         an application for the paths that are not the server's
adapter     which socket is in which room, and how a broadcast reaches it

The parser, which encodes packets and decodes messages, is in `trio_sio.protocol.socketio.parser`.
An adapter of another author needs this package and `trio_sio.protocol` alone.
"""

from trio_sio.abc.adapter import (
    NO_FLAGS as NO_FLAGS,
    Adapter as Adapter,
    AdapterHost as AdapterHost,
    AdapterNamespace as AdapterNamespace,
    AdapterService as AdapterService,
    CustomHook as CustomHook,
    Flags as Flags,
    Gathered as Gathered,
    HookT as HookT,
    Recipient as Recipient,
    Room as Room,
    SocketId as SocketId,
    Target as Target,
)
from trio_sio.abc.session import (
    Session as Session,
    Timer as Timer,
    Timers as Timers,
    Waiter as Waiter,
)
from trio_sio.abc.transport import (
    OutgoingQueue as OutgoingQueue,
    Transport as Transport,
    TransportClosed as TransportClosed,
)
from trio_sio.abc.web import (
    ResponseBody as ResponseBody,
    WebApplication as WebApplication,
    WebReply as WebReply,
    WebStream as WebStream,
)
from trio_sio.protocol.socketio.parser import (
    BoundedDecoder as BoundedDecoder,
    PacketDecoder as PacketDecoder,
    PacketEncoder as PacketEncoder,
    Parser as Parser,
)
