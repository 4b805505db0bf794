"""python-socketio's client, which does what it is told: the same orders and reports as
`tests/javascript/client.js`. A program of its own, since that client has threads."""

import base64
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import engineio
import socketio

_clients: dict[int, Any] = {}
_writing = threading.Lock()


class _EngineClient(engineio.Client):  # type: ignore[misc]  # it has no types
    """Takes messages one after the other.

    The original hands each to a thread of its own, where the attachments of an event overtake
    their header when the machine is busy.
    """

    def _trigger_event(self, event: str, *args: object, **options: object) -> object:
        options["run_async"] = options.get("run_async") and event != "message"
        return super()._trigger_event(event, *args, **options)


class _Client(socketio.Client):  # type: ignore[misc]  # it has no types
    def _engineio_client_class(self) -> type[_EngineClient]:
        return _EngineClient


def main() -> None:
    """Take orders until there are no more."""
    for line in sys.stdin:
        verb, *args = _unpack(json.loads(line))
        _VERBS[verb](*args)
    for client in _clients.values():
        client.disconnect()


def _open(name: int, url: str, options: dict[str, Any]) -> None:
    client = _clients[name] = _Client()
    answers = options["answers"]
    client.on("connect", lambda: _report(name, "connect", client.eio.sid))
    client.on("disconnect", lambda: _report(name, "disconnect"))
    for event in options["hear"]:
        client.on(event, _hearer(name, event, answers))
    client.connect(url, transports=options.get("transports"))
    if options.get("transports") is None and client.transport() == "websocket":
        _report(name, "upgrade", "websocket")


def _hearer(name: int, event: str, answers: dict[str, Any]) -> Callable[..., object]:
    def hear(*args: object) -> object:
        _report(name, event, *args)
        answer = args if answers.get(event) is None else tuple(answers[event])
        return answer if event in answers else None

    return hear


def _emit(name: int, event: str, *args: object) -> None:
    _clients[name].emit(event, args)


def _call(name: int, number: int, event: str, *args: object) -> None:
    def answered(*answer: object) -> None:
        _report(name, f"answer {number}", *answer)

    _clients[name].emit(event, args, callback=answered)


def _close(name: int) -> None:
    _clients[name].disconnect()


def _report(client: int, event: str, *args: object) -> None:
    transport = _clients[client].transport()
    report = {"client": client, "event": event, "args": _pack(args), "transport": transport}
    with _writing:
        sys.stdout.write(json.dumps(report) + "\n")
        sys.stdout.flush()


def _pack(value: object) -> object:
    if isinstance(value, bytes):
        return {"$bytes": base64.b64encode(value).decode()}
    if isinstance(value, list | tuple):
        return [_pack(inner) for inner in value]
    if isinstance(value, dict):
        return {key: _pack(inner) for key, inner in value.items()}
    return value


def _unpack(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_unpack(inner) for inner in value]
    if isinstance(value, dict):
        if "$bytes" in value:
            return base64.b64decode(value["$bytes"])
        return {key: _unpack(inner) for key, inner in value.items()}
    return value


_VERBS: dict[str, Callable[..., None]] = {
    "open": _open,
    "emit": _emit,
    "call": _call,
    "close": _close,
}

if __name__ == "__main__":
    main()
