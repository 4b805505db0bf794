"""The interfaces between the parts of the package, some of which applications may implement.

transport   how a session's packets travel: polling, WebSocket, memory
session     one Engine.IO client; all that the router asks of the engine
web         an application for the paths that are not the server's
adapter     which socket is in which room, and how a broadcast reaches it
recipient   a socket, as an adapter sees it
recovering  an adapter that keeps what clients miss
gathered    what is put together from several servers, or from several sockets

The parser, which encodes packets and decodes messages, is in `trio_sio.protocol.socketio.parser`.
An adapter of another author needs this package and `trio_sio.protocol` alone, and one that keeps
what clients miss `trio_sio.recovery`, too.
"""

from trio_sio.abc.adapter import (
    NO_FLAGS as NO_FLAGS,
    Adapter as Adapter,
    AdapterHost as AdapterHost,
    AdapterNamespace as AdapterNamespace,
    AdapterService as AdapterService,
    AnswerServer as AnswerServer,
    CustomHook as CustomHook,
    Flags as Flags,
    HookT as HookT,
    Target as Target,
)
from trio_sio.abc.gathered import (
    AnswerCollector as AnswerCollector,
    AwaitedAnswer as AwaitedAnswer,
    Gathered as Gathered,
    GatheredList as GatheredList,
    SocketDetails as SocketDetails,
)
from trio_sio.abc.recipient import (
    EventWatch as EventWatch,
    Recipient as Recipient,
    Room as Room,
    SocketId as SocketId,
)
from trio_sio.abc.recovering import Record as Record, RecoveringAdapter as RecoveringAdapter
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
    Sequel as Sequel,
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
