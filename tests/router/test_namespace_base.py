"""What a socket needs of its namespace: handlers, middleware, and whether it is idle."""

import re

import pytest

from trio_sio import Namespace, ParentNamespace, Server


def note(*args: object) -> None:
    """Handle something."""


def refuse(*args: object) -> None:
    """Handle something else."""


def child_of(parent: ParentNamespace, io: Server) -> Namespace:
    return io.router.namespaces.acquire("/a", parent)


def test_the_parents_come_before_its_own() -> None:
    io = Server()
    parent = io.of(re.compile("/a"))
    child = child_of(parent, io)
    child.on("x", note)
    parent.on("x", refuse)
    child.use(note)
    parent.use(refuse)
    assert child.chain() == [refuse, note]
    assert [one.function for one in child.take_handlers("x")] == [refuse, note]
    assert child.is_listened_to("x")
    assert not child.is_listened_to("y")
    parent.on("y", note)
    assert child.is_listened_to("y")
    parent.on("connection", note)
    assert child.heard_events() == {"x", "y"}


def test_handlers_for_one_event_are_taken_once() -> None:
    chat = Server().of("/chat")
    chat.once("x", note)
    assert [one.function for one in chat.take_handlers("x")] == [note]
    assert chat.take_handlers("x") == ()


@pytest.mark.parametrize("keeper", ["user", "name", "handler", "middleware", "nothing"])
def test_it_is_idle_when_nobody_would_miss_it(keeper: str) -> None:
    io = Server()
    child = child_of(io.of(re.compile("/a")), io)
    if keeper == "user":
        child.acquire()
    elif keeper == "name":
        assert io.of("/a") is child
    elif keeper == "handler":
        child.on("x", note)
    elif keeper == "middleware":
        child.use(note)
    child.release()
    assert child.is_idle is (keeper == "nothing")


def test_one_without_a_parent_is_never_idle() -> None:
    assert not Server().of("/chat").is_idle


def test_ids_of_acknowledgements_are_counted_for_all_its_sockets() -> None:
    io = Server()
    assert [io.of("/a").next_ack_id() for _ in range(3)] == [0, 1, 2]
    assert io.of("/b").next_ack_id() == 0
