"""Collects the events of a server: what its handlers take, and what it declares besides."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from trio_sio.declared_event import Event
from trio_sio.protocol.socketio.packet import BACKLOG
from trio_sio.router.argument_types import ArgumentTypes, of_event, of_function
from trio_sio.router.conversion import schemas
from trio_sio.router.handlers import CATCH_ALL, HandlerTable, Registration
from trio_sio.server import Server

Schema = dict[str, Any]
AnyEvent = Event[Any, *tuple[Any, ...]]

_NOT_OF_CLIENTS = {
    *("connect", "connection", "disconnect", "disconnecting", "error", BACKLOG, CATCH_ALL),
}


@dataclass(frozen=True, slots=True)
class EventContract:
    """One event.

    Attributes:
        name: the event's name.
        description: what it is for, `""` if nobody says it.
        arguments: names and schemas.
        required: how many arguments there must be.
        rest: the schema of further ones, `None` if there are none.
        answer: the schemas of the answer's arguments.
    """

    name: str
    description: str
    arguments: tuple[tuple[str, Schema], ...]
    required: int
    rest: Schema | None
    answer: tuple[Schema, ...]


@dataclass(frozen=True, slots=True)
class NamespaceContract:
    """One namespace: its name, and the events of either side, sorted by name."""

    name: str
    from_client: tuple[EventContract, ...]
    from_server: tuple[EventContract, ...]


@dataclass(frozen=True, slots=True)
class Contract:
    """The namespaces, sorted by name, and the schemas that theirs refer to."""

    namespaces: tuple[NamespaceContract, ...]
    schemas: dict[str, Schema]


Declaration = tuple[str, str, ArgumentTypes]


def collect(io: Server, declared: Iterable[AnyEvent], ref: str) -> Contract:
    """Return the contract of a server.

    Args:
        io: the server, with its handlers registered.
        declared: events of the application; those that no handler takes are the server's own.
        ref: how schemas refer to each other, with `{name}` in it.

    Raises:
        ImportError: msgspec is missing.
        TypeError: a type has no JSON.
    """
    every = io.router.namespaces
    tables = {name: every[name].handlers for name in every}
    tables |= {parent.label: parent.handlers for parent in every.parents}
    declarations = {str(event): event for event in declared}
    handled = {name: [*_handled(table, declarations)] for name, table in tables.items()}
    taken = {name for events in handled.values() for name, _, _ in events}
    own = [_declared(event) for name, event in sorted(declarations.items()) if name not in taken]
    all_types = [
        one
        for declaration in (*(one for events in handled.values() for one in events), *own)
        for one in _types(declaration[2])
    ]
    found, components = schemas(all_types, ref)
    in_order = iter(found)
    of_clients = {
        name: tuple([_contract(one, in_order) for one in events])
        for name, events in handled.items()
    }
    of_server = tuple([_contract(one, in_order) for one in own])
    namespaces = [NamespaceContract(name, of_clients[name], of_server) for name in sorted(tables)]
    return Contract(tuple(namespaces), dict(sorted(components.items())))


def _handled(table: HandlerTable, declared: dict[str, AnyEvent]) -> Iterator[Declaration]:
    for name in sorted({*table.names()} - _NOT_OF_CLIENTS):
        if name in declared:
            yield _declared(declared[name])
        else:
            yield name, "", _of_handler(table.get(name)[0])


def _of_handler(registration: Registration) -> ArgumentTypes:
    last = int(registration.ack)
    types = of_function(registration.function, first=1, last=last)
    if registration.ack:  # what it returns is no answer
        return ArgumentTypes(types.arguments, types.rest)
    return types


def _declared(event: AnyEvent) -> Declaration:
    return str(event), event.description, of_event(event) or ArgumentTypes((), Any)


def _answers(answer: object) -> tuple[object, ...]:
    """Return the types of the arguments of an answer, as they are sent."""
    if answer is None or answer is type(None):
        return ()
    if get_origin(answer) is tuple and Ellipsis not in get_args(answer):
        return get_args(answer)
    return (answer,)


def _types(types: ArgumentTypes) -> tuple[object, ...]:
    rest = () if types.rest is None else (types.rest,)
    return (*(one.type for one in types.arguments), *rest, *_answers(types.answer))


def _contract(declaration: Declaration, found: Iterator[Schema]) -> EventContract:
    name, description, types = declaration
    named = enumerate(types.arguments, 1)
    return EventContract(
        name,
        description,
        tuple([(one.name or f"argument{number}", next(found)) for number, one in named]),
        types.required,
        None if types.rest is None else next(found),
        tuple([next(found) for _ in _answers(types.answer)]),
    )
