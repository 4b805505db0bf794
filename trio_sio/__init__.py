"""trio_sio: a Socket.IO 2.x server with structured concurrency.

Everything that applications need is here; `trio_sio.testing` has what their tests need,
and `trio_sio.workers` serves with several processes.

How the package is built, from top to bottom; a file imports only what is below it:

demo, metrics, testing     these use a server: the chat of `python -m trio_sio`, Prometheus, tests
asgi                       an ASGI application on the server's port
workers                    several processes that share a port
contract                   the events of an application, written down for those who write clients
conformance                judges any Socket.IO server from outside
tracing                    spans of OpenTelemetry for the calls of handlers
admin                      a view of a running server, for operators
emitter                    emitting from programs that are no servers, through Redis
program                    `run`: a program that is only a server
server                     `Server`: an engine and a router, joined
engine                     Engine.IO: TCP connections, HTTP, WebSocket, sessions
router                     Socket.IO: clients, namespaces, sockets, handlers
adapters                   which socket is in which room, and how a broadcast reaches it
options                    the options of `Engine` and `Server`, each declared once
abc                        the interfaces between the three, some of which applications implement
failures                   what the application's code raises, sorted
declared_event             declared events
static_files               the files of a folder, for `fallback`
exceptions, http, logs     errors; requests and responses; lines of the log
channel                    a bounded queue between two tasks, with Trio's interface
protocol                   bytes to packets and back: no I/O, no clock, no Trio
recovery                   what is kept for clients that lose their connection
disconnect, statistics     why clients leave; what a server counts
sync, browser_client       waiting for other tasks; the files of socket.io-client

`engine` and `router` do not know each other. The docstring of each folder lists its files, and
`docs/architecture.md` follows a packet through them.
"""

from trio_sio.abc import (
    Adapter as Adapter,
    Parser as Parser,
)
from trio_sio.adapters.memory import MemoryAdapter as MemoryAdapter
from trio_sio.declared_event import (
    Event as Event,
    event as event,
)
from trio_sio.disconnect import (
    DisconnectDetail as DisconnectDetail,
    DisconnectReason as DisconnectReason,
)
from trio_sio.engine.engine import Engine as Engine
from trio_sio.engine.session.session import Session as Session
from trio_sio.exceptions import (
    BodyError as BodyError,
    BodyTooLarge as BodyTooLarge,
    BodyTooSlow as BodyTooSlow,
    ClientError as ClientError,
    ConnectionRefused as ConnectionRefused,
    Disconnected as Disconnected,
    InvalidBody as InvalidBody,
    LimitReached as LimitReached,
    LocalProtocolError as LocalProtocolError,
    MissingAnswers as MissingAnswers,
    NoAnswer as NoAnswer,
    PacketRefused as PacketRefused,
    ProtocolError as ProtocolError,
    Refused as Refused,
    RemoteProtocolError as RemoteProtocolError,
    RequestRefused as RequestRefused,
    SocketIOError as SocketIOError,
    WrongArguments as WrongArguments,
)
from trio_sio.http import (
    Headers as Headers,
    RefusalReport as RefusalReport,
    Request as Request,
    Response as Response,
)
from trio_sio.options import (
    EngineOptions as EngineOptions,
    Recovery as Recovery,
    ServerOptions as ServerOptions,
)
from trio_sio.program.run import run as run
from trio_sio.protocol.socketio.packet import (
    JSON as JSON,
    Packet as Packet,
    PacketType as PacketType,
)
from trio_sio.recovery.failure import RecoveryFailure as RecoveryFailure
from trio_sio.router.broadcast import Broadcast as Broadcast
from trio_sio.router.client import Client as Client
from trio_sio.router.handshake import Handshake as Handshake
from trio_sio.router.method_handlers import (
    Handlers as Handlers,
    on as on,
)
from trio_sio.router.namespace import (
    Namespace as Namespace,
    ParentNamespace as ParentNamespace,
)
from trio_sio.router.remote_socket import RemoteSocket as RemoteSocket
from trio_sio.router.room_answers import Answers as Answers
from trio_sio.router.socket import Socket as Socket
from trio_sio.server import Server as Server
from trio_sio.static_files.function import static as static
from trio_sio.statistics import (
    EngineStatistics as EngineStatistics,
    NamespaceStatistics as NamespaceStatistics,
    RecoveryStatistics as RecoveryStatistics,
    SessionStatistics as SessionStatistics,
)
