"""The JavaScript parsers themselves, in one Node.js process: `tests/javascript/oracle.js`.

A request is one line of JSON and so is its answer. Bytes, lists and dicts travel as lists with a
tag, and so do the numbers that JSON cannot say. The `…_view` functions say what JavaScript has
to see where Python has a packet.
"""

import base64
import contextlib
import json
import math
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from trio_sio.protocol.engineio.packet import EnginePacket
from trio_sio.protocol.socketio.packet import JSON, Packet

SCRIPT = Path(__file__).parents[1] / "javascript" / "oracle.js"

Answer = Any
"""What came back: JSON with bytes, of no declared shape."""


class Oracle:
    """A running Node.js that answers questions; a context manager."""

    def __init__(self) -> None:
        # What Node.js has to complain about goes to our stderr.
        self._process = subprocess.Popen(
            ["node", str(SCRIPT)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8"
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        # This closes the pipes, which ends the script, and waits for that.
        with contextlib.suppress(BrokenPipeError), self._process:
            pass

    def ask(self, operation: str, *arguments: object) -> Answer:
        """Return the answer to one call."""
        (answer,) = self.ask_all(operation, [arguments])
        return answer

    def ask_all(self, operation: str, calls: Sequence[tuple[object, ...]]) -> list[Answer]:
        """Return the answers to several calls, which travel as one line."""
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        try:
            stdin.write(json.dumps([operation, *map(_pack, calls)]) + "\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = ""
        assert line, "Node.js has ended, see its stderr; `python3 -m tests` installs what it needs"
        answers = _unpack(json.loads(line))
        assert isinstance(answers, list)
        return answers


@dataclass(frozen=True)
class ArrayBuffer:
    """Bytes that JavaScript is to have as an ArrayBuffer."""

    content: bytes


class Undefined:
    """JavaScript's undefined."""


def _pack(value: object) -> object:
    if isinstance(value, datetime):
        return ["date", round(value.timestamp() * 1000)]
    if isinstance(value, ArrayBuffer):
        return ["arraybuffer", base64.b64encode(value.content).decode()]
    if isinstance(value, Undefined):
        return ["undefined", None]
    if isinstance(value, bytes):
        return ["bytes", base64.b64encode(value).decode()]
    if isinstance(value, float) and not math.isfinite(value):
        return ["number", {"inf": "Infinity", "-inf": "-Infinity"}.get(str(value), "NaN")]
    if isinstance(value, list | tuple):
        return ["array", [_pack(inner) for inner in value]]
    if isinstance(value, dict):
        return ["object", [[key, _pack(inner)] for key, inner in value.items()]]
    return value


def _unpack(value: Answer) -> Answer:
    if not isinstance(value, list):
        return value
    tag, content = value
    match tag:
        case "array":
            return [_unpack(inner) for inner in content]
        case "object":
            return {key: _unpack(inner) for key, inner in content}
        case "bytes":
            return base64.b64decode(content)
        case "number":
            return float(content)
        case "date":
            return datetime.fromtimestamp(content / 1000, UTC)
    raise AssertionError(f"unknown tag {tag}")


def engine_question(packet: EnginePacket) -> dict[str, str | bytes]:
    """What engine.io-parser encodes."""
    return {"type": packet.type.name.lower(), "data": packet.data}


def engine_view(packet: EnginePacket) -> Answer:
    """What engine.io-parser has to decode for `packet`."""
    return ["packet", packet.type.name.lower(), packet.data]


def socket_question(packet: Packet) -> dict[str, JSON]:
    """What socket.io-parser encodes."""
    question: dict[str, JSON] = {"type": int(packet.type), "nsp": packet.namespace}
    if packet.data is not None:
        question["data"] = packet.data
    if packet.id is not None:
        question["id"] = packet.id
    return question


def socket_view(packet: Packet) -> Answer:
    """What socket.io-parser has to decode for `packet`."""
    return number_view(["packet", int(packet.type), packet.namespace, packet.data, packet.id])


def number_view(value: Answer) -> Answer:
    """Return `value` with its numbers as JavaScript has them: all of 64 bits, none is True."""
    if isinstance(value, list):
        return [number_view(inner) for inner in value]
    if isinstance(value, dict):
        return {key: number_view(inner) for key, inner in value.items()}
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    try:
        return ("number", float(value))
    except OverflowError:
        return ("number", math.copysign(math.inf, value))


def null_view(value: JSON) -> JSON:
    """Return `value` as it arrives: JSON has no word for NaN and the infinities but null."""
    if isinstance(value, list):
        return [null_view(inner) for inner in value]
    if isinstance(value, dict):
        return {key: null_view(inner) for key, inner in value.items()}
    return None if isinstance(value, float) and not math.isfinite(value) else value
