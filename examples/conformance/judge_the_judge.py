"""Does `trio-sio conformance` notice? One line of a server is made wrong at a time, and judged.

python3 judge_the_judge.py
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

SERVER = Path(__file__).with_name("fixture.py")
START = [sys.executable]  # and the server's path; it prints its URL
URL = re.compile(r"http://\S+")


class Fault(NamedTuple):
    """What a line of the server says, what it is made to say, and the check that has to fail."""

    right: str
    wrong: str
    check: str


FAULTS = [
    Fault(
        'await socket.to(room).emit("told"', 'await io.to(room).emit("told"', "rooms/others-hear"
    ),
    Fault("await socket.leave(room)", "pass", "rooms/strangers-do-not-hear"),
    Fault("return args", "return args[::-1]", "events/acknowledgements[polling]"),
    Fault(
        "range(count)",
        "range(count, 0, -1)",
        "order/events-of-one-handler-keep-their-order[polling]",
    ),
    Fault("await socket.disconnect()", "pass", "namespaces/the-server-ends-a-namespace"),
    Fault("ping_timeout=1", "ping_timeout=60", "heartbeat/silence-ends-the-session[websocket]"),
]


def main():
    missed = [fault for fault in FAULTS if not is_found(fault)]
    print(f"{len(FAULTS) - len(missed)} of {len(FAULTS)} faults were found")
    return 1 if missed else 0


def is_found(fault):
    """Return whether the check passes for the server as it is, and fails for it with the fault."""
    text = SERVER.read_text("utf-8")
    assert text.count(fault.right) == 1, f"not one line: {fault.right}"
    outcomes = [judge(one, fault.check) for one in (text, text.replace(fault.right, fault.wrong))]
    found = outcomes == [0, 1]  # exit statuses: it conforms, it does not
    print("found " if found else "MISSED", fault.check, flush=True)
    return found


def judge(text, check):
    """Run a server with this text; return the command's exit status for one check."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder, SERVER.name)
        copy.write_text(text, "utf-8")
        with subprocess.Popen([*START, copy, "0"], stdout=subprocess.PIPE, text=True) as server:
            try:
                url = next(url for line in server.stdout or () for url in URL.findall(line))
                command = [sys.executable, "-m", "trio_sio", "conformance", url, "--only", check]
                return subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode
            finally:
                server.kill()


if __name__ == "__main__":
    sys.exit(main())
