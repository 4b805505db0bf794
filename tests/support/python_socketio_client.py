"""python-socketio's client, 4 or 5, which does what it is told: the same orders and reports as
`tests/javascript/client.js`. A program of its own, since that client has threads, and since 5
lives in an environment of its own.

What happens in a namespace other than "/" is reported as "/name event".
"""

import base64
import json
import sys
import threading
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from typing import Any

import engineio
import socketio

_IS_5 = version("python-socketio").startswith("5.")

# It gives a connection up that polls more packets than 16 at once, which servers send.
engineio.payload.Payload.max_decode_packets = 10_000

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
    client = _clients[name] = _Client(**options.get("client", {}))
    namespaces = options.get("namespaces", ["/"])
    for namespace in namespaces:
        _listen(name, namespace, options["hear"], options["answers"])
    more = {"auth": options["auth"]} if "auth" in options else {}  # 4 does not know it
    try:
        client.connect(url, transports=options.get("transports"), namespaces=namespaces, **more)
    except socketio.exceptions.ConnectionError as error:
        _report(name, "failed", str(error))
        return
    if options.get("transports") is None and client.transport() == "websocket":
        _report(name, "upgrade", "websocket")


def _listen(name: int, namespace: str, events: list[str], answers: dict[str, Any]) -> None:
    prefix = "" if namespace == "/" else f"{namespace} "
    on = partial(_clients[name].on, namespace=namespace)
    on("connect", lambda: _report(name, f"{prefix}connect", _id(name, namespace)))
    for event in ("disconnect", "connect_error", "__disconnect_final"):
        on(event, partial(_report, name, f"{prefix}{event}"))
    for event in events:
        on(event, _hearer(name, prefix, event, answers))


def _id(name: int, namespace: str) -> object:
    client = _clients[name]
    return client.get_sid(namespace) if _IS_5 else client.eio.sid


def _hearer(name: int, prefix: str, event: str, answers: dict[str, Any]) -> Callable[..., object]:
    def hear(*args: object) -> object:
        _report(name, prefix + event, *args)
        answer = args if answers.get(event) is None else tuple(answers[event])
        return answer if event in answers else None

    return hear


def _emit(name: int, event: str, *args: object) -> None:
    _emit_in(name, "/", event, *args)


def _emit_in(name: int, namespace: str, event: str, *args: object) -> None:
    _clients[name].emit(event, args, namespace=namespace)


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
    "emit_in": _emit_in,
    "call": _call,
    "close": _close,
}

if __name__ == "__main__":
    main()
