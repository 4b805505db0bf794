"""Writes a contract as an AsyncAPI 3.0 document: a channel for each namespace."""

import json
import re
from typing import Any

from trio_sio.contract.collection import Contract, EventContract, NamespaceContract, Schema

REF = "#/components/schemas/{name}"


def write(contract: Contract, title: str) -> str:
    """Return the text of a JSON file.

    Args:
        contract: collected with `REF`.
        title: what the application is called.
    """
    channels: dict[str, Any] = {}
    operations: dict[str, Any] = {}
    for number, namespace in enumerate(contract.namespaces):
        key = "root" if namespace.name == "/" else f"namespace{number}"
        channels[key] = _channel(namespace)
        for action, events in (
            ("receive", namespace.from_client),
            ("send", namespace.from_server),
        ):
            for event in events:
                operations[f"{key}.{action}.{_key(event.name)}"] = _operation(key, action, event)
    document = {
        "asyncapi": "3.0.0",
        "info": {
            "title": title,
            "version": "1",
            "description": "Socket.IO 2.x; written by trio-sio.",
        },
        "defaultContentType": "application/json",
        "channels": channels,
        "operations": operations,
        "components": {"schemas": contract.schemas},
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _key(name: str) -> str:
    """Return a name that may be part of a reference: other characters by their codes."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f".{ord(found[0]):x}.", name)


def _channel(namespace: NamespaceContract) -> dict[str, Any]:
    messages: dict[str, Any] = {}
    for event in (*namespace.from_client, *namespace.from_server):
        arguments = [schema for _, schema in event.arguments]
        message = {"name": event.name, "payload": _list(arguments, event.required, event.rest)}
        if event.description:
            message["description"] = event.description
        messages[_key(event.name)] = message
        if event.answer:
            answer = {"name": f"answer to {event.name}", "payload": _answer(event)}
            messages[f"{_key(event.name)}.answer"] = answer
    return {"address": namespace.name, "messages": messages}


def _operation(channel: str, action: str, event: EventContract) -> dict[str, Any]:
    where = {"$ref": f"#/channels/{channel}"}
    message = f"#/channels/{channel}/messages/{_key(event.name)}"
    operation: dict[str, Any] = {
        "action": action,
        "channel": where,
        "messages": [{"$ref": message}],
    }
    if event.answer:
        operation["reply"] = {"channel": where, "messages": [{"$ref": f"{message}.answer"}]}
    return operation


def _answer(event: EventContract) -> Schema:
    return _list([*event.answer], len(event.answer), None)


def _list(items: list[Schema], required: int, rest: Schema | None) -> Schema:
    """Return the schema of a list of arguments, in the draft that AsyncAPI's schemas have."""
    schema: Schema = {"type": "array", "minItems": required}
    if items:
        schema["items"] = items
        schema["additionalItems"] = False if rest is None else rest
    elif rest is None:
        schema["maxItems"] = 0
    else:
        schema["items"] = rest
    return schema
