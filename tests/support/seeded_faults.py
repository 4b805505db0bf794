"""Lines of servers, made wrong one at a time, and the check that has to find each.

The package or the JavaScript modules are copied, one line is replaced, and the check is played to
the server that runs with it. `docs/conformance.md` lists them.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.conformance import (
    NODE,
    NODE_4,
    NODE_MODULES,
    OURS,
    ROOT,
    outcomes,
    served,
)
from tests.support.seeded_fault import Fault
from tests.support.seeded_faults_5 import FAULTS_5, JAVASCRIPT_FAULTS_5

FAULTS = (
    Fault(
        "lengths in text payloads count bytes",
        "protocol/engineio/codec_v3.py",
        'return len(text.encode("utf-16-le", "surrogatepass")) // 2',
        'return len(text.encode("utf-8", "surrogatepass"))',
        "payloads/lengths-are-characters[polling-base64]",
    ),
    Fault(
        "lengths of packets in base64 leave out their mark",
        "protocol/engineio/codec_v3.py",
        'return b"%d:b4%b" % (len(encoded) + 2, encoded)',
        'return b"%d:b4%b" % (len(encoded), encoded)',
        "binary/one-value[polling-base64]",
    ),
    Fault(
        "binary packets in binary payloads have no type",
        "protocol/engineio/codec_v3.py",
        'return b"\\x01" + _length_bytes(len(part) + 1) + b"\\x04" + part',
        'return b"\\x01" + _length_bytes(len(part)) + part',
        "binary/one-value[polling]",
    ),
    Fault(
        "the last character of each packet in a text payload is lost",
        "protocol/engineio/codec_v3.py",
        "yield decode_text(units[start:end].decode(",
        "yield decode_text(units[start : end - 2].decode(",
        "payloads/lengths-count-utf-16-code-units",
    ),
    Fault(
        "`pingInterval` is in seconds",
        "protocol/engineio/handshake.py",
        '"pingInterval": round(self.ping_interval * 1000),',
        '"pingInterval": round(self.ping_interval),',
        "handshake/open-has-the-times-in-milliseconds",
    ),
    Fault(
        "no upgrade is offered",
        "protocol/engineio/handshake.py",
        '"upgrades": list(self.upgrades),',
        '"upgrades": [],',
        "handshake/polling-offers-the-upgrade",
    ),
    Fault(
        "an unknown session has another error code",
        "protocol/engineio/handshake.py",
        "SESSION_ID_UNKNOWN = 1",
        "SESSION_ID_UNKNOWN = 6",
        "refusals/an-unknown-session[GET]",
    ),
    Fault(
        "refusals have another status",
        "protocol/engineio/handshake.py",
        "return 403 if self is ErrorCode.FORBIDDEN else 400",
        "return 403",
        "refusals/an-unknown-transport",
    ),
    Fault(
        'the answer to a probe does not say "probe"',
        "protocol/engineio/version.py",
        'probe_answer=Encoded(("3probe",)),',
        'probe_answer=Encoded(("3",)),',
        "upgrade/a-probe-is-answered",
    ),
    Fault(
        "silent clients are kept ten times as long",
        "protocol/engineio/state.py",
        "return self._interval + self.timeout if",
        "return 10 * (self._interval + self.timeout) if",
        "heartbeat/silence-ends-the-session[websocket]",
    ),
    Fault(
        "PING is not answered",
        "engine/session/session.py",
        "self.outbox.send_control(self.state.version.pong)",
        "pass",
        "heartbeat/a-ping-is-answered[polling]",
    ),
    Fault(
        "a held poll is not released by a probe",
        "engine/polling/transport.py",
        "            self.send_nowait([self.form.version.noop])",
        "            pass",
        "upgrade/a-held-poll-is-released",
    ),
    Fault(
        "clients without binary data get binary payloads",
        "engine/polling/payload_format.py",
        "return not self.base64 and True in",
        "return True in",
        "payloads/a-client-without-binary-gets-base64",
    ),
    Fault(
        "credentials are not allowed",
        "engine/http/cors.py",
        '("Access-Control-Allow-Credentials", "true"),',
        '("Access-Control-Allow-Credentials", "false"),',
        "handshake/cross-origin-with-credentials",
    ),
    Fault(
        "messages may be ten times as large as the limit",
        "protocol/websocket/frame_parser.py",
        "if self._announced > self.limits.max_size:",
        "if self._announced > 10 * self.limits.max_size:",
        "limits/a-message-that-is-too-large",
    ),
    Fault(
        "all placeholders name the first attachment",
        "protocol/socketio/encoder.py",
        '"num": len(self._found) - 1',
        '"num": 0',
        "binary/as-many-as-may-be",
    ),
    Fault(
        "all placeholders are filled with the first attachment",
        "protocol/socketio/decoder.py",
        'number = placeholder.get("num")',
        "number = 0",
        "binary/as-many-as-may-be",
    ),
    Fault(
        "another message for unknown namespaces",
        "router/joining.py",
        'text: str = "Invalid namespace"',
        'text: str = "Unknown namespace"',
        "namespaces/an-unknown-namespace",
    ),
    Fault(
        "ids of acknowledgements are cut to three digits",
        "router/acknowledgement.py",
        "self._id: int | None = ack_id",
        "self._id: int | None = ack_id % 1000",
        "events/any-id[4711]",
    ),
    Fault(
        "the server's `disconnect` is not sent",
        "router/socket.py",
        "self.sender.send_control(PacketType.DISCONNECT)",
        "pass",
        "namespaces/the-server-ends-a-namespace",
    ),
    Fault(
        "the sender hears what it tells others",
        "adapters/memory.py",
        "            chosen.pop(target.sender, None)",
        "            pass",
        "rooms/others-hear",
    ),
    Fault(
        "leaving a room has no effect",
        "adapters/memory.py",
        "        members.pop(socket_id, None)",
        "        pass",
        "rooms/strangers-do-not-hear",
    ),
    Fault(
        'a client that leaves "/" ends its session',
        "router/client.py",
        "            socket.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)",
        "            self.session.close()",
        "closing/the-client-leaves-the-root[websocket]",
    ),
    Fault(
        "the newest packet of the queue is sent first",
        "engine/session/bounded_queue.py",
        "first = queue.popleft()",
        "first = queue.pop()",
        "order/events-of-one-handler-keep-their-order[websocket]",
    ),
    Fault(
        "a POST is answered with nothing",
        "engine/polling/endpoint.py",
        'headers, b"ok")',
        'headers, b"")',
        "payloads/a-post-is-answered-ok",
    ),
    Fault(
        "a second poll does not end the session",
        "engine/session/lifecycle.py",
        "self._signal(Signal.OVERLAP)",
        "pass",
        "payloads/a-second-poll-while-one-is-held",
    ),
    Fault(
        "a message of exactly the limit is refused",
        "protocol/websocket/frame_parser.py",
        "if self._announced > self.limits.max_size:",
        "if self._announced >= self.limits.max_size:",
        "limits/a-message-at-the-limit",
    ),
)
"""Of trio_sio."""

JAVASCRIPT_FAULTS = (
    Fault(
        "lengths in text payloads count bytes",
        "engine.io-parser/lib/index.js",
        "return message.length + ':' + message;",
        "return Buffer.byteLength(message) + ':' + message;",
        "payloads/lengths-are-characters[polling-base64]",
    ),
    Fault(
        "`pingInterval` is in seconds",
        "engine.io/lib/socket.js",
        "pingInterval: this.server.pingInterval,",
        "pingInterval: this.server.pingInterval / 1000,",
        "handshake/open-has-the-times-in-milliseconds",
    ),
    Fault(
        "PING is not answered",
        "engine.io/lib/socket.js",
        "this.sendPacket('pong');",
        ";",
        "heartbeat/a-ping-is-answered[websocket]",
    ),
    Fault(
        'the answer to a probe does not say "probe"',
        "engine.io/lib/socket.js",
        "transport.send([{ type: 'pong', data: 'probe' }]);",
        "transport.send([{ type: 'pong' }]);",
        "upgrade/a-probe-is-answered",
    ),
    Fault(
        "a held poll is not released by a probe",
        "engine.io/lib/socket.js",
        "self.transport.send([{ type: 'noop' }]);",
        ";",
        "upgrade/a-held-poll-is-released",
    ),
    Fault(
        "silent clients are kept ten times as long",
        "engine.io/lib/socket.js",
        "}, self.server.pingInterval + self.server.pingTimeout);",
        "}, 10 * (self.server.pingInterval + self.server.pingTimeout));",
        "heartbeat/silence-ends-the-session[websocket]",
    ),
    Fault(
        "all placeholders name the first attachment",
        "socket.io-parser/binary.js",
        "var placeholder = { _placeholder: true, num: buffers.length };",
        "var placeholder = { _placeholder: true, num: 0 };",
        "binary/as-many-as-may-be",
    ),
    Fault(
        "another message for unknown namespaces",
        "socket.io/lib/client.js",
        "data: 'Invalid namespace'",
        "data: 'Unknown namespace'",
        "namespaces/an-unknown-namespace",
    ),
    Fault(
        "the sender hears what it tells others",
        "socket.io/node_modules/socket.io-adapter/index.js",
        "if (ids[id] || ~except.indexOf(id)) continue;",
        "if (ids[id]) continue;",
        "rooms/others-hear",
    ),
    Fault(
        "leaving a room has no effect",
        "socket.io/node_modules/socket.io-adapter/index.js",
        "\n  if (this.rooms.hasOwnProperty(room)) {",
        "\n  if (false) {",
        "rooms/strangers-do-not-hear",
    ),
    Fault(
        "ids of acknowledgements are cut",
        "socket.io/lib/socket.js",
        "id: id,",
        "id: id % 1000,",
        "events/any-id[4711]",
    ),
    Fault(
        "the newest packet is sent first",
        "engine.io/lib/socket.js",
        "this.writeBuffer.push(packet);",
        "this.writeBuffer.unshift(packet);",
        "order/events-of-one-handler-keep-their-order[polling]",
    ),
    Fault(
        "bodies may be ten times as large as the limit",
        "engine.io/lib/transports/polling.js",
        "if (contentLength > self.maxHttpBufferSize) {",
        "if (contentLength > 10 * self.maxHttpBufferSize) {",
        "limits/a-body-that-is-too-large",
    ),
    Fault(
        "a body of exactly the limit is refused",
        "engine.io/lib/transports/polling.js",
        "if (contentLength > self.maxHttpBufferSize) {",
        "if (contentLength >= self.maxHttpBufferSize) {",
        "limits/a-body-at-the-limit",
    ),
    Fault(
        "a handshake may be a POST",
        "engine.io/lib/server.js",
        "if ('GET' !== req.method) return fn(",
        "if (false) return fn(",
        "refusals/a-handshake-by-post",
    ),
    Fault(
        "a session that is unknown has another error code",
        "engine.io/lib/server.js",
        "return fn(Server.errors.UNKNOWN_SID, false);",
        "return fn(Server.errors.BAD_REQUEST, false);",
        "refusals/an-unknown-session[POST]",
    ),
    Fault(
        "refusals have another status",
        "engine.io/lib/server.js",
        "res.writeHead(400, headers);",
        "res.writeHead(404, headers);",
        "refusals/an-unknown-transport",
    ),
    Fault(
        "a session by WebSocket may be polled",
        "engine.io/lib/server.js",
        "if (!upgrade && this.clients[sid].transport.name !== transport) {",
        "if (false) {",
        "refusals/polling-for-a-session-by-websocket",
    ),
    Fault(
        "`disconnect(true)` leaves the connection open",
        "socket.io/lib/socket.js",
        "this.client.disconnect();",
        ";",
        "closing/the-server-closes[websocket]",
    ),
    Fault(
        'a client that leaves "/" ends its session',
        "socket.io/lib/socket.js",
        "this.onclose('client namespace disconnect');",
        "this.client.disconnect();",
        "closing/the-client-leaves-the-root[websocket]",
    ),
    Fault(
        "what is no packet of Socket.IO is ignored",
        "socket.io/lib/client.js",
        "    this.onerror(e);",
        "    ;",
        "closing/what-is-no-packet-ends-the-session[42{]",
    ),
    Fault(
        "what is no packet of Engine.IO is ignored",
        "engine.io/lib/socket.js",
        "this.onClose('parse error');",
        ";",
        "closing/what-is-no-packet-ends-the-session[9]",
    ),
    Fault(
        "messages may be ten times as large as the limit",
        "engine.io/lib/server.js",
        "maxPayload: this.maxHttpBufferSize",
        "maxPayload: 10 * this.maxHttpBufferSize",
        "limits/a-message-that-is-too-large",
    ),
    Fault(
        "a message of exactly the limit is refused",
        "engine.io/lib/server.js",
        "maxPayload: this.maxHttpBufferSize",
        "maxPayload: this.maxHttpBufferSize - 1",
        "limits/a-message-at-the-limit",
    ),
)
"""Of socket.io 2.5.1 and engine.io 3."""


def faults_of(area: str, *protocols: int) -> list[object]:
    """Return the faults that checks of this area have to find, for `pytest.mark.parametrize`.

    Args:
        area: its name.
        protocols: those of these revisions; of all, if none is named.
    """
    return [
        pytest.param(fault, id=f"{server}: {fault.what}", marks=marks)
        for server, faults, marks in (
            ("trio_sio", FAULTS, [pytest.mark.slow]),
            ("socket.io", JAVASCRIPT_FAULTS, [pytest.mark.slow, pytest.mark.node]),
            ("trio_sio, protocol 5", FAULTS_5, [pytest.mark.slow]),
            (
                "socket.io, protocol 5",
                JAVASCRIPT_FAULTS_5,
                [pytest.mark.slow, pytest.mark.node],
            ),
        )
        for fault in faults
        if fault.check.startswith(f"{area}/")
        if fault.protocol in (protocols or (4, 5))
    ]


def is_found(fault: Fault, tmp_path: Path) -> bool:
    """Return whether its check fails with the server that has the fault."""
    is_theirs = fault in (*JAVASCRIPT_FAULTS, *JAVASCRIPT_FAULTS_5)
    serve = _served_by_node if is_theirs else _served_by_us
    spoken = ("--protocol", str(fault.protocol))
    options = ("--only", fault.check, "--examples", "0", "--patience", "2", *spoken)
    with serve(fault, tmp_path) as url:
        (outcome,) = outcomes(url, tmp_path / "report.json", *options).values()
    return outcome == "failed"


@contextmanager
def _served_by_us(fault: Fault, folder: Path) -> Iterator[str]:
    package = folder / "trio_sio"
    shutil.copytree(ROOT / "trio_sio", package, ignore=shutil.ignore_patterns("__pycache__"))
    fault.seed(package)
    with served(OURS, package=folder) as url:
        yield url


@contextmanager
def _served_by_node(fault: Fault, folder: Path) -> Iterator[str]:
    modules = folder / "node_modules"
    modules.mkdir()
    # A module finds others beside where it really is, so all that may load the wrong one is copied.
    for module in NODE_MODULES.iterdir():
        if module.name.startswith(("socket.io", "engine.io")):
            shutil.copytree(module, modules / module.name)
        elif not module.name.startswith("."):
            (modules / module.name).symlink_to(module)
    fault.seed(modules)
    command = NODE_4 if fault in JAVASCRIPT_FAULTS_5 else NODE
    with served(command, node_modules=modules) as url:
        yield url
