"""Lines of the package, made wrong one at a time, and the state machine that has to find each.

`python3 -m tests.support.machine_faults` says how many examples each took; they are listed in
`docs/testing/machines.md`.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.support.conformance import ROOT
from tests.support.seeded_fault import Fault

EXAMPLES = 500
"""As many as a machine may try before it has to have found a fault."""

_PROGRAM = """
import logging, sys
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test
from tests.support.examples import FIND
from trio_sio.testing import machines

name, count, steps = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
made = 0

class Counted(getattr(machines, name)):
    def __init__(self):
        global made
        made += 1
        super().__init__()

logging.disable()
try:
    run_state_machine_as_test(
        Counted, settings=settings(FIND, max_examples=count, stateful_step_count=steps)
    )
except Exception as error:
    print(made, type(error).__name__)
"""

_STEPS = {"DisconnectsMachine": 12, "ServerMachine": 12}

FAULTS = (
    Fault(
        "a client may be silent for `ping_interval` alone",
        "protocol/engineio/state.py",
        "return self._interval + self.timeout if",
        "return self._interval if",
        "SessionMachine",
    ),
    Fault(
        "the last reason of an end counts",
        "protocol/engineio/state.py",
        "        if self.reason is None:\n            self.reason = reason",
        "        self.reason = reason",
        "SessionMachine",
    ),
    Fault(
        "a probe that is lost goes on",
        "protocol/engineio/state.py",
        "Signal.PROBE_LOST: State.OPEN,",
        "Signal.PROBE_LOST: State.UPGRADING,",
        "SessionMachine",
    ),
    Fault(
        "the sender hears what it tells others",
        "adapters/memory.py",
        "            chosen.pop(target.sender, None)",
        "            pass",
        "RoomsMachine",
    ),
    Fault(
        "leaving a room has no effect",
        "adapters/memory.py",
        "        members.pop(socket_id, None)",
        "        pass",
        "RoomsMachine",
    ),
    Fault(
        "all placeholders name the first attachment",
        "protocol/socketio/encoder.py",
        '"num": len(self._found) - 1',
        '"num": 0',
        "AcksMachine",
    ),
    Fault(
        "the newest packet of the queue is sent first",
        "engine/session/bounded_queue.py",
        "first = queue.popleft()",
        "first = queue.pop()",
        "UpgradeMachine",
    ),
    Fault(
        "the answer to a probe is another one",
        "protocol/engineio/version.py",
        'probe_answer=Encoded(("3probe",)),',
        'probe_answer=Encoded(("3",)),',
        "UpgradeMachine",
    ),
    Fault(
        "a second answer is taken, too",
        "router/acks.py",
        "waiting = self._waiting.pop(ack_id, None)",
        "waiting = self._waiting.get(ack_id)",
        "AcksMachine",
    ),
    Fault(
        "ids of acknowledgements are cut to three digits",
        "router/acknowledgement.py",
        "self._id: int | None = ack_id",
        "self._id: int | None = ack_id % 1000",
        "AcksMachine",
    ),
    Fault(
        "calls do not hear that the client has left",
        "router/acks.py",
        "                one.close(reason)",
        "                pass",
        "AcksMachine",
    ),
    Fault(
        'a client that leaves "/" ends its session',
        "router/client.py",
        "            socket.end(DisconnectReason.CLIENT_NAMESPACE_DISCONNECT)",
        "            self.session.close()",
        "DisconnectsMachine",
    ),
    Fault(
        "a client that has gone is not forgotten",
        "router/client.py",
        "            clients.discard(self)",
        "            pass",
        "DisconnectsMachine",
    ),
    Fault(
        "silent clients are kept ten times as long",
        "protocol/engineio/state.py",
        "return self._interval + self.timeout if",
        "return 10 * (self._interval + self.timeout) if",
        "DisconnectsMachine",
    ),
    Fault(
        "PING is not answered",
        "engine/session/session.py",
        "self.outbox.send_control(self.state.version.pong)",
        "pass",
        "ServerMachine",
    ),
    Fault(
        "a held poll is not released by a probe",
        "engine/polling/transport.py",
        "            self.send_nowait([self.form.version.noop])",
        "            pass",
        "ServerMachine",
    ),
    Fault(
        "each PONG postpones the next ping",
        "protocol/engineio/state.py",
        "kind is EnginePacketType.PONG and self._ping_due is None and not",
        "kind is EnginePacketType.PONG and not",
        "Session4Machine",
    ),
    Fault(
        "a client of Engine.IO 4 may ping",
        "protocol/engineio/state.py",
        "self.signal(Signal.WRONG_PING)",
        "pass",
        "Session4Machine",
    ),
    Fault(
        "a ping needs no answer",
        "protocol/engineio/state.py",
        "is_too_late = self._ping_due is None and now >= self.deadline",
        "is_too_late = self.version.client_pings and now >= self.deadline",
        "Session4Machine",
    ),
    Fault(
        "nothing stands between packets of Engine.IO 4",
        "protocol/encoded.py",
        "joiner=codec_v4.SEPARATOR",
        'joiner=b""',
        "Upgrade4Machine",
    ),
    Fault(
        "the server does not ping",
        "engine/session/session.py",
        "self.outbox.send_control(self.state.version.ping)",
        "pass",
        "ServerMachine",
    ),
    Fault(
        'clients of protocol 5 are in "/" unasked',
        "router/dialect.py",
        "    joins_root=False,",
        "    joins_root=True,",
        "RoomsMachine",
    ),
    Fault(
        "what is late ends the session of a client of protocol 5",
        "router/joining.py",
        "        self._former[name] = None",
        "        pass",
        "AcksMachine",
    ),
    Fault(
        "attachments hide what was never asked for",
        "router/client.py",
        "        if stray is not None and self.dialect.is_strict:",
        "        if False:",
        "AcksMachine",
    ),
    Fault(
        "the next ping waits for the end of the time for the answer",
        "protocol/engineio/state.py",
        "return now + self._interval if awaits else math.inf",
        "return math.inf",
        "AcksMachine",
    ),
    Fault(
        "ids tell those of sessions",
        "router/dialect.py",
        "    make_id=_random_id,",
        "    make_id=_session_id,",
        "AcksMachine",
    ),
    Fault(
        "a refusal is a text in protocol 5, too",
        "router/dialect.py",
        "refusal=_message_and_data,",
        "refusal=_message_or_data,",
        "AcksMachine",
    ),
    Fault(
        "binary frames have a type in Engine.IO 4",
        "protocol/encoded.py",
        "if isinstance(part, str) else frame(BINARY, part)",
        'if isinstance(part, str) else frame(BINARY, b"\\x04" + part)',
        "AcksMachine",
    ),
    Fault(
        "what a client says when it joins is lost",
        "router/dialect.py",
        "packet.data if isinstance(packet.data, dict) else {}",
        "{}",
        "DisconnectsMachine",
    ),
    Fault(
        "a second CONNECT makes a second socket",
        "router/client.py",
        "            return  # the reference makes a second socket of the same id",
        "            pass",
        "DisconnectsMachine",
    ),
    Fault(
        "who is in is told of an error in protocol 5, too",
        "router/dialect.py",
        "    tells_errors=False,",
        "    tells_errors=True,",
        "DisconnectsMachine",
    ),
)


def examples_until_found(fault: Fault, folder: Path, *, most: int = EXAMPLES) -> int:
    """Return how many examples its machine tries until it finds a fault; 0 if it does not."""
    package = folder / "trio_sio"
    shutil.copytree(ROOT / "trio_sio", package, ignore=shutil.ignore_patterns("__pycache__"))
    fault.seed(package)
    steps = _STEPS.get(fault.check, 30)
    arguments = [sys.executable, "-c", _PROGRAM, fault.check, str(most), str(steps)]
    done = subprocess.run(
        arguments,
        env={**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout.split()[0]) if done.stdout else 0


if __name__ == "__main__":
    for one in FAULTS:
        with tempfile.TemporaryDirectory() as scratch:
            count = examples_until_found(one, Path(scratch))
        sys.stdout.write(f"| {one.what} | `{one.file}` | `{one.check}` | {count} |\n")
        sys.stdout.flush()
