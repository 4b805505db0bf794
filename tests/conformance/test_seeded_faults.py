"""One line of a server is made wrong, and the checks have to find it.

The package or the JavaScript modules are copied, one line is replaced, and the checks that are named
are played to the server that runs with it; each has to fail. `--examples` is 0: what the generated
conversations would find as well is not counted.
"""

import json
import shutil
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conformance.fixtures import JAVASCRIPT, NODE, OURS, ROOT, served
from trio_sio.conformance.command import main

pytestmark = pytest.mark.slow


class Fault(NamedTuple):
    """A line that is wrong, and the check that has to find it."""

    file: str
    right: str
    wrong: str
    check: str


FAULTS = (
    Fault(
        "protocol/engineio/codec_v3.py",
        'return len(text.encode("utf-16-le", "surrogatepass")) // 2',
        'return len(text.encode("utf-8", "surrogatepass"))',
        "payloads/lengths-are-characters[polling-base64]",
    ),
    Fault(
        "protocol/engineio/codec_v3.py",
        'return b"%d:b4%b" % (len(encoded) + 2, encoded)',
        'return b"%d:b4%b" % (len(encoded), encoded)',
        "binary/one-value[polling-base64]",
    ),
    Fault(
        "protocol/engineio/codec_v3.py",
        'return b"\\x01" + _length_bytes(len(part) + 1) + b"\\x04" + part',
        'return b"\\x01" + _length_bytes(len(part)) + part',
        "binary/one-value[polling]",
    ),
    Fault(
        "protocol/engineio/codec_v3.py",
        "yield decode_text(units[start:end].decode(",
        "yield decode_text(units[start : end - 2].decode(",
        "payloads/lengths-count-utf-16-code-units",
    ),
    Fault(
        "protocol/engineio/handshake.py",
        '"pingInterval": round(self.ping_interval * 1000),',
        '"pingInterval": round(self.ping_interval),',
        "handshake/open-has-the-times-in-milliseconds",
    ),
    Fault(
        "protocol/engineio/handshake.py",
        '"upgrades": list(self.upgrades),',
        '"upgrades": [],',
        "handshake/polling-offers-the-upgrade",
    ),
    Fault(
        "protocol/engineio/handshake.py",
        "SESSION_ID_UNKNOWN = 1",
        "SESSION_ID_UNKNOWN = 6",
        "refusals/an-unknown-session[GET]",
    ),
    Fault(
        "protocol/engineio/handshake.py",
        "return 403 if self is ErrorCode.FORBIDDEN else 400",
        "return 403",
        "refusals/an-unknown-transport",
    ),
    Fault(
        "protocol/engineio/version.py",
        'probe_answer=Encoded(("3probe",)),',
        'probe_answer=Encoded(("3",)),',
        "upgrade/a-probe-is-answered",
    ),
    Fault(
        "protocol/engineio/state.py",
        "self.silence_limit = interval + timeout",
        "self.silence_limit = 10 * (interval + timeout)",
        "heartbeat/silence-ends-the-session[websocket]",
    ),
    Fault(
        "engine/session/session.py",
        "self.outbox.send_control(self.state.version.pong)",
        "pass",
        "heartbeat/a-ping-is-answered[polling]",
    ),
    Fault(
        "engine/session/lifecycle.py",
        "self._signal(Signal.MALFORMED)",
        "pass",
        "payloads/a-malformed-payload-ends-the-session",
    ),
    Fault(
        "engine/polling/transport.py",
        "            self.send_nowait([self.form.version.noop])",
        "            pass",
        "upgrade/a-held-poll-is-released",
    ),
    Fault(
        "engine/polling/payload_format.py",
        "return not self.base64 and True in",
        "return True in",
        "payloads/a-client-without-binary-gets-base64",
    ),
    Fault(
        "engine/http/cors.py",
        '("Access-Control-Allow-Credentials", "true"),',
        '("Access-Control-Allow-Credentials", "false"),',
        "handshake/cross-origin-with-credentials",
    ),
    Fault(
        "protocol/websocket/frame_parser.py",
        "if self._announced > self.limits.max_size:",
        "if self._announced > 10 * self.limits.max_size:",
        "limits/a-message-that-is-too-large",
    ),
    Fault(
        "protocol/socketio/encoder.py",
        '"num": len(self._found) - 1',
        '"num": 0',
        "binary/as-many-as-may-be",
    ),
    Fault(
        "protocol/socketio/decoder.py",
        'number = placeholder.get("num")',
        "number = 0",
        "binary/as-many-as-may-be",
    ),
    Fault(
        "router/joining.py",
        'text: str = "Invalid namespace"',
        'text: str = "Unknown namespace"',
        "namespaces/an-unknown-namespace",
    ),
    Fault(
        "router/acknowledgement.py",
        "self._id: int | None = ack_id",
        "self._id: int | None = ack_id % 1000",
        "events/any-id[4711]",
    ),
    Fault(
        "router/socket.py",
        "self.sender.send_control(PacketType.DISCONNECT)",
        "pass",
        "namespaces/the-server-ends-a-namespace",
    ),
    Fault(
        "adapters/memory.py",
        "            chosen.pop(target.sender, None)",
        "            pass",
        "rooms/others-hear",
    ),
    Fault(
        "adapters/memory.py",
        "        members.pop(socket_id, None)",
        "        pass",
        "rooms/strangers-do-not-hear",
    ),
)

JAVASCRIPT_FAULTS = (
    Fault(
        "engine.io-parser/lib/index.js",
        "return message.length + ':' + message;",
        "return Buffer.byteLength(message) + ':' + message;",
        "payloads/lengths-are-characters[polling-base64]",
    ),
    Fault(
        "engine.io/lib/socket.js",
        "pingInterval: this.server.pingInterval,",
        "pingInterval: this.server.pingInterval / 1000,",
        "handshake/open-has-the-times-in-milliseconds",
    ),
    Fault(
        "engine.io/lib/socket.js",
        "this.sendPacket('pong');",
        ";",
        "heartbeat/a-ping-is-answered[websocket]",
    ),
    Fault(
        "engine.io/lib/socket.js",
        "transport.send([{ type: 'pong', data: 'probe' }]);",
        "transport.send([{ type: 'pong' }]);",
        "upgrade/a-probe-is-answered",
    ),
    Fault(
        "engine.io/lib/socket.js",
        "self.transport.send([{ type: 'noop' }]);",
        ";",
        "upgrade/a-held-poll-is-released",
    ),
    Fault(
        "engine.io/lib/socket.js",
        "}, self.server.pingInterval + self.server.pingTimeout);",
        "}, 10 * (self.server.pingInterval + self.server.pingTimeout));",
        "heartbeat/silence-ends-the-session[websocket]",
    ),
    Fault(
        "socket.io-parser/binary.js",
        "var placeholder = { _placeholder: true, num: buffers.length };",
        "var placeholder = { _placeholder: true, num: 0 };",
        "binary/as-many-as-may-be",
    ),
    Fault(
        "socket.io/lib/client.js",
        "data: 'Invalid namespace'",
        "data: 'Unknown namespace'",
        "namespaces/an-unknown-namespace",
    ),
    Fault(
        "socket.io-adapter/index.js",
        "if (ids[id] || ~except.indexOf(id)) continue;",
        "if (ids[id]) continue;",
        "rooms/others-hear",
    ),
    Fault(
        "socket.io-adapter/index.js",
        "\n  if (this.rooms.hasOwnProperty(room)) {",
        "\n  if (false) {",
        "rooms/strangers-do-not-hear",
    ),
    Fault(
        "socket.io/lib/socket.js",
        "id: id,",
        "id: id % 1000,",
        "events/any-id[4711]",
    ),
)


def made_wrong(folder: Path, fault: Fault) -> None:
    """Replace the line in a copy."""
    path = folder / fault.file
    text = path.read_text("utf-8")
    assert text.count(fault.right) == 1, "the line has changed: seed another fault"
    path.write_text(text.replace(fault.right, fault.wrong), "utf-8")


def outcome(url: str, check: str, report: Path) -> str:
    main([url, "--only", check, "--examples", "0", "--patience", "2", "--json", str(report)])
    (result,) = json.loads(report.read_text())["checks"]
    return str(result["outcome"])


def names(faults: tuple[Fault, ...]) -> list[str]:
    return [f"{Path(fault.file).name}: {fault.wrong.strip()[:40]}" for fault in faults]


@pytest.mark.parametrize("fault", FAULTS, ids=names(FAULTS))
def test_a_fault_of_ours_is_found(fault: Fault, tmp_path: Path) -> None:
    package = tmp_path / "trio_sio"
    shutil.copytree(ROOT / "trio_sio", package, ignore=shutil.ignore_patterns("__pycache__"))
    made_wrong(package, fault)
    with served(OURS, tmp_path) as url:
        assert outcome(url, fault.check, tmp_path / "report.json") == "failed"


@pytest.mark.node
@pytest.mark.parametrize("fault", JAVASCRIPT_FAULTS, ids=names(JAVASCRIPT_FAULTS))
def test_a_fault_of_javascript_is_found(fault: Fault, tmp_path: Path) -> None:
    modules = tmp_path / "node_modules"
    modules.mkdir()
    copied = Path(fault.file).parts[0]
    # Its neighbours find each other by where they really are, so all that may load it is copied.
    for module in JAVASCRIPT.iterdir():
        if module.name.startswith(("socket.io", "engine.io")):
            shutil.copytree(module, modules / module.name)
        elif not module.name.startswith("."):
            (modules / module.name).symlink_to(module)
    assert (modules / copied).is_dir()
    made_wrong(modules, fault)
    shutil.copy(ROOT / "examples" / "conformance" / "fixture.js", tmp_path)
    command = ("node", str(tmp_path / "fixture.js"))
    assert command[0] == NODE[0]
    with served(command, tmp_path) as url:
        assert outcome(url, fault.check, tmp_path / "report.json") == "failed"
