"""The options that everybody needs: their order, which pages and help show, and their values."""

import re

import pytest

from trio_sio import EngineOptions, ServerOptions
from trio_sio.options.basics import BasicOptions
from trio_sio.options.declaration import Group


def test_they_come_first_and_are_all_that_an_engine_has_of_their_group() -> None:
    names = [*BasicOptions.declarations()]
    of_engine = EngineOptions.declarations()
    assert [*of_engine][: len(names)] == names
    assert [name for name, one in of_engine.items() if one.group is Group.BASICS] == names


def test_other_classes_have_them_with_defaults_of_their_own() -> None:
    defaults = [kind().path for kind in (BasicOptions, EngineOptions, ServerOptions)]
    assert defaults == ["/engine.io", "/engine.io", "/socket.io"]
    assert BasicOptions().changes() == {}


@pytest.mark.parametrize(
    ("name", "value", "error"),
    [
        ("transports", ("polling", "webtransport"), ValueError),
        ("protocols", (2,), ValueError),
        ("allow_upgrades", 1, TypeError),
        ("allow_request", "none", TypeError),
    ],
)
def test_wrong_values_are_told_with_the_name(
    name: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=re.escape(f"option {name!r} must be")):
        BasicOptions.of({name: value})
