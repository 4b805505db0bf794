"""Declared options: unknown ones are named, and everybody knows their names and types.

mypy runs over this file and reports an ignored error that is none. So each `type: ignore` is a
mistake that type checkers find, besides the exception that the call raises.
"""

import inspect
from collections.abc import Callable

import pytest
from attrs.exceptions import FrozenInstanceError

from trio_sio import Engine, EngineOptions, Server, ServerOptions
from trio_sio.options import checks
from trio_sio.options.declaration import Group, Options, frozen, option, takes, with_default


@frozen(kw_only=True)
class Base(Options):
    size: int = option(5, checks.count(), Group.LIMITS, unit="bytes", counted=True)
    name: str | None = option(None, checks.cookie_text(";"), Group.BASICS)


@frozen(kw_only=True)
class Derived(Base):
    size: int = with_default(Base, "size", 7)


class User:
    @takes(Derived)
    def __init__(self, **options: object) -> None:
        """Take options."""
        self.options = Derived.of(options)


def test_a_declaration() -> None:
    declared = Base.declarations()
    assert list(declared) == ["size", "name"]
    assert declared["size"] == (Group.LIMITS, "bytes", True)
    assert declared["name"] == (Group.BASICS, "", False)


def test_another_default() -> None:
    assert (Base().size, Derived().size) == (5, 7)
    assert Derived.declarations() == Base.declarations()
    with pytest.raises(ValueError, match="option 'size' must be at least 1, not 0"):
        Derived(size=0)


def test_an_option_without_a_value_of_its_own_is_checked_too() -> None:
    @frozen(kw_only=True)
    class Wrong(Options):
        size: int = option(0, checks.count(), Group.LIMITS)

    with pytest.raises(ValueError, match="option 'size'"):
        Wrong()


def test_changed_options_are_others() -> None:
    options = Derived(name="a")
    changed = options.changed({"size": 1})
    assert changed == Derived(name="a", size=1)
    assert options == Derived(name="a")
    with pytest.raises(ValueError, match="option 'size'"):
        options.changed({"size": -1})
    with pytest.raises(TypeError, match="unknown option 'sizes'; did you mean 'size'"):
        options.changed({"sizes": 1})


def test_options_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        ServerOptions().path = "/x"  # type: ignore[misc]
    assert not hasattr(ServerOptions(), "__dict__")  # reading one costs no more than a slot


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("pinginterval", "ping_interval"),
        ("max_outbox_byte", "max_outbox_bytes"),
        ("adaptor", "adapter"),
    ],
)
def test_unknown_option_with_a_near_one(name: str, hint: str) -> None:
    with pytest.raises(TypeError, match=f"unknown option '{name}'; did you mean '{hint}'"):
        ServerOptions.of({name: 1})


def test_an_engine_does_not_know_a_servers_options() -> None:
    with pytest.raises(TypeError, match="unknown option 'max_inbox'"):
        EngineOptions.of({"max_inbox": 1})
    with pytest.raises(TypeError, match="unknown option 'parser'"):
        Engine(parser=None)  # type: ignore[call-arg]


@pytest.mark.parametrize(
    ("thing", "options", "own"),
    [
        (Engine, EngineOptions, []),
        (Engine.set_options, EngineOptions, ["self"]),
        (Server, ServerOptions, ["engine"]),
        (User, Derived, []),
    ],
)
def test_signatures_have_every_option(
    thing: Callable[..., object], options: type[Options], own: list[str]
) -> None:
    found = inspect.signature(thing).parameters
    expected = inspect.signature(options).parameters
    assert found.keys() == {*expected, *own}
    assert {name: found[name] for name in expected} == expected


def test_help_shows_each_option_with_its_type_and_default() -> None:
    shown = str(inspect.signature(Server))
    assert "max_outbox: int = 512" in shown
    assert (
        "on_overflow: Literal['disconnect', 'drop_newest', 'drop_oldest'] = 'disconnect'" in shown
    )


def test_type_checkers_know_names() -> None:
    with pytest.raises(TypeError, match="unknown option 'max_outbx'"):
        Server(max_outbx=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="unknown option 'max_rooms'"):
        Engine(max_rooms=5)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="positional"):
        Server("/path")  # type: ignore[call-arg, arg-type]
    with pytest.raises(TypeError, match="unknown option 'nam'"):
        User(nam="a")  # type: ignore[call-arg]


def test_type_checkers_know_types() -> None:
    with pytest.raises(TypeError, match="option 'max_outbox' must be an int, not '5'"):
        Server(max_outbox="5")  # type: ignore[arg-type]
    with pytest.raises(
        ValueError, match="'on_overflow' must be one of 'disconnect', 'drop_newest'"
    ):
        Server(on_overflow="drop")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'ws_engine' must be one of 'auto', 'trio-websocket'"):
        Engine(ws_engine="wsproto")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'transports' must be a collection of 'polling' and"):
        Engine(transports=["flashsocket"])  # type: ignore[list-item]
    with pytest.raises(TypeError, match="option 'cookie_secure' must be True, False or None"):
        Engine().set_options(cookie_secure="yes")  # type: ignore[arg-type]


def test_type_checkers_know_what_is_right() -> None:
    engine = Engine(path="/e", cookie=None, slow_step=None, transports=["websocket"])
    server = Server(engine=engine, max_rooms=5, on_flood="wait", max_events_per_second=2.5)
    server.engine.set_options(path="/f")
    assert (server.path, server.options.on_flood) == ("/f", "wait")
