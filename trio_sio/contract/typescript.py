"""Writes a contract as types for the JavaScript client, socket.io-client 2.x."""

import json
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import chain, count

from trio_sio.contract.collection import Contract, EventContract, NamespaceContract, Schema

REF = "#{name}"

_ENDINGS = ("FromClient", "FromServer", "Socket")
"""What the names of a namespace's types end with."""

_HEAD = """\
// Written by `trio-sio contract`, for @types/socket.io-client 1.4.
/// <reference types="socket.io-client" />

export interface EventTypes { args: unknown[]; answer: unknown[] }
export type Events<E> = { [N in keyof E]: EventTypes };
type Answer<E extends EventTypes> = (...answer: E["answer"]) => void;
type WithAnswer<E extends EventTypes> = [...Required<E["args"]>, Answer<E>];
type Handler<E extends EventTypes> =
  (...args: E["answer"] extends [] ? E["args"] : WithAnswer<E>) => void;
type OwnEvent = "connect" | "connect_error" | "connect_timeout" | "disconnect" | "error"
  | "reconnect" | "reconnect_attempt" | "reconnecting" | "reconnect_error" | "reconnect_failed"
  | "ping" | "pong";

/** A client's socket that knows the events of both sides. */
export type TypedSocket<C extends Events<C>, S extends Events<S>> =
  Omit<SocketIOClient.Socket, "emit" | "on" | "once"> & {
    emit<N extends keyof C>(event: N, ...args: C[N]["args"]): void;
    emit<N extends keyof C>(event: N, ...args: WithAnswer<C[N]>): void;
    on<N extends keyof S>(event: N, handler: Handler<S[N]>): void;
    on(event: OwnEvent, handler: (value: any) => void): void;
    once<N extends keyof S>(event: N, handler: Handler<S[N]>): void;
    once(event: OwnEvent, handler: (value: any) => void): void;
  };
"""

_TAKEN = frozenset(re.findall(r"(?:type|interface) (\w+)", _HEAD)) | {
    *("any", "boolean", "null", "number", "object", "string", "undefined", "unknown", "void"),
}
"""Names that no type of the application can have."""

_NAMES = {
    "string": "string",
    "integer": "number",
    "number": "number",
    "boolean": "boolean",
    "null": "null",
}


def write(contract: Contract) -> str:
    """Return the text of a TypeScript file."""
    parts = [_HEAD]
    for name, schema in contract.schemas.items():
        parts.append(f"{_comment(schema.get('description', ''))}export type {_word(name)} =")
        parts[-1] += f" {_type({**schema, 'description': ''})};\n"
    taken = {*_TAKEN, *map(_word, contract.schemas)}
    for namespace in contract.namespaces:
        prefix = _free_prefix(namespace.name, taken)
        taken.update(prefix + ending for ending in _ENDINGS)
        parts.append(_namespace(namespace, prefix))
    return "\n".join(parts)


def _namespace(namespace: NamespaceContract, prefix: str) -> str:
    lines = [f"// The namespace {json.dumps(namespace.name)}"]
    for side, events in (("Client", namespace.from_client), ("Server", namespace.from_server)):
        lines.append(f"export interface {prefix}From{side} {{")
        lines += _events(events)
        lines.append("}")
    both = f"{prefix}FromClient, {prefix}FromServer"
    return "\n".join([*lines, f"export type {prefix}Socket = TypedSocket<{both}>;\n"])


def _events(events: Iterable[EventContract]) -> Iterator[str]:
    for event in events:
        if event.description:
            yield f"  {_comment(event.description)}".rstrip()
        args = [
            f"{_parameter(name)}{'' if number <= event.required else '?'}: {_type(schema)}"
            for number, (name, schema) in enumerate(event.arguments, 1)
        ]
        if event.rest is not None:
            args.append(f"...rest: ({_type(event.rest)})[]")
        answer = ", ".join(map(_type, event.answer))
        yield f"  {json.dumps(event.name)}: {{ args: [{', '.join(args)}]; answer: [{answer}] }};"


def _free_prefix(name: str, taken: Collection[str]) -> str:
    """Return what the names of a namespace's types begin with; none of them is taken."""
    words = re.findall(r"[A-Za-z]\w*", name)
    prefix = "".join(word[:1].upper() + word[1:] for word in words)
    if not prefix:
        prefix = "Root" if name == "/" else "Namespace"
    numbered = (f"{prefix}{number}" for number in count(2))
    return next(
        one
        for one in chain([prefix], numbered)
        if not any(one + ending in taken for ending in _ENDINGS)
    )


def _word(name: str) -> str:
    word = re.sub(r"\W", "_", name)
    return f"{word}_" if word in _TAKEN else word


def _parameter(name: str) -> str:
    return f"{name}_" if name in ("this", "default", "function", "new", "var") else name


def _comment(text: str) -> str:
    safe = " ".join(text.split()).replace("*/", "* /")
    return f"/** {safe} */\n" if safe else ""


def _type(schema: Schema) -> str:
    """Return the type that a JSON Schema describes."""
    if "$ref" in schema:
        return _word(schema["$ref"].removeprefix("#"))
    if "enum" in schema or "const" in schema:
        return " | ".join(json.dumps(one) for one in schema.get("enum", [schema.get("const")]))
    if "anyOf" in schema:
        return " | ".join(f"({_type(one)})" for one in schema["anyOf"])
    match schema.get("type"):
        case "string" if "contentEncoding" in schema:
            return "ArrayBuffer"
        case "array":
            return _array(schema)
        case "object":
            return _object(schema)
        case str() as name:
            return _NAMES[name]
        case list() as names:
            return " | ".join(_NAMES[name] for name in names)
    return "any"


def _array(schema: Schema) -> str:
    if "prefixItems" in schema:
        return f"[{', '.join(map(_type, schema['prefixItems']))}]"
    items = schema.get("items")
    return f"({_type(items)})[]" if items else "any[]"


def _object(schema: Schema) -> str:
    if "properties" not in schema:
        values = schema.get("additionalProperties")
        return f"{{ [key: string]: {_type(values) if values else 'any'} }}"
    required = schema.get("required", ())
    fields = [
        f"{json.dumps(name)}{'' if name in required else '?'}: {_type(one)}"
        for name, one in schema["properties"].items()
    ]
    return f"{{ {'; '.join(fields)} }}"
