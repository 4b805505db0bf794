"""Methods that other servers have, where somebody looks for them."""

import copy
from typing import Any

import pytest

from trio_sio import Server, Socket
from trio_sio.testing import connect

NAMES = [
    ("attach", r"trio_sio\.run\(io, port\)"),
    ("listen", r"trio_sio\.run\(io, port\)"),
    ("enter_room", r"await socket\.join\(room\)"),
    ("leave_room", r"await socket\.leave\(room\)"),
    ("start_background_task", r"nursery\.start_soon"),
    ("sleep", r"await trio\.sleep"),
    ("save_session", r"socket\.data"),
    ("get_session", r"socket\.data"),
    ("allSockets", r"io\.clients\(\)"),
    ("close_room", r"io\.in_\(room\)\.sockets_leave\(room\)"),
    ("emitWithAck", r"socket\.call"),
    ("register_namespace", r"trio_sio\.Handlers"),
    ("offAny", r"remove_any"),
    ("off", r"remove_listener"),
]


@pytest.mark.parametrize(("name", "text"), NAMES)
async def test_a_method_that_others_have_is_explained(name: str, text: str) -> None:
    io = Server()
    sockets: list[Socket] = []
    io.on("connection", sockets.append)
    async with connect(io):
        for one in (io, io.sockets, io.to("room"), sockets[0], sockets[0].volatile):
            with pytest.raises(AttributeError, match=f"{type(one).__name__}.*{name}.*: .*{text}"):
                getattr(one, name)
            assert not hasattr(one, name)


def test_a_name_of_javascript_is_found_in_pythons_spelling() -> None:
    io: Any = Server()
    with pytest.raises(AttributeError, match="it is called 'remove_all_listeners' here"):
        io.removeAllListeners()


def test_an_unknown_name_is_as_elsewhere() -> None:
    io: Any = Server()
    with pytest.raises(AttributeError, match=r"no attribute 'nonsense'$") as it:
        io.nonsense()
    assert (it.value.name, it.value.obj) == ("nonsense", io)


def test_an_error_inside_a_property_is_its_own() -> None:
    class Broken(Server):
        @property
        def broken(self) -> object:
            return None.nothing  # type: ignore[attr-defined]

    with pytest.raises(AttributeError, match="'NoneType' object has no attribute 'nothing'"):
        _ = Broken().broken


def test_targets_can_be_copied() -> None:
    target = Server().to("room")
    assert copy.copy(target) == target


async def test_what_only_targets_have_is_explained_for_a_socket() -> None:
    io = Server()
    async with connect(io) as client:
        socket = io.sockets.connected[client.id]
        for name in ("fetchSockets", "sockets_join", "socketsLeave", "disconnectSockets"):
            with pytest.raises(AttributeError, match=r"broadcasts have it: io\.in_\(room\)"):
                getattr(socket, name)
