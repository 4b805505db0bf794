"""The page of options is what the declarations say."""

import re
from typing import Any

import pytest

from docs.options import CLASSES, PAGE, helps_of, page, shown_default, shown_type
from trio_sio import ServerOptions
from trio_sio.adapters.redis.options import RedisOptions
from trio_sio.options import Origins, OverflowPolicy
from trio_sio.options.compression import CompressionOption
from trio_sio.options.declaration import Group

HELPS = {name: text for one in CLASSES for name, text in helps_of(one).items()}
ROWS = re.findall(r"^\| `(\w+)` \| (.*) \|$", page(), re.MULTILINE)


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python docs/options.py`"


def test_every_option_has_help_in_one_place() -> None:
    assert HELPS.keys() == ServerOptions.declarations().keys()
    assert sum(len(helps_of(one)) for one in CLASSES) == len(HELPS)
    assert CLASSES[-1].mro()[: len(CLASSES)] == [*reversed(CLASSES)]


def test_every_option_of_redis_has_help_and_a_row() -> None:
    rows = PAGE.read_text("utf-8").partition("\n## Options of RedisAdapter")[2]
    named = re.findall(r"^\| `(\w+)` \| ", rows, re.MULTILINE)
    assert named == list(RedisOptions.declarations()) == list(helps_of(RedisOptions))


@pytest.mark.parametrize("name", HELPS)
def test_help_is_a_line_and_perhaps_more(name: str) -> None:
    line, _, rest = HELPS[name].partition("\n")
    assert line.endswith(".")
    assert rest == "" or rest.startswith("\n")


@pytest.mark.parametrize("name", HELPS)
def test_every_option_has_one_row_in_its_group(name: str) -> None:
    of_server = PAGE.read_text("utf-8").partition("\n## Options of RedisAdapter")[0]
    before, _ = of_server.split(f"\n| `{name}` | ")
    group = re.findall(r"^## (.*)$", before, re.MULTILINE)[-1]
    assert Group(group) is ServerOptions.declarations()[name].group


@pytest.mark.parametrize("name", [name for name in HELPS if name.endswith("_timeout")])
def test_times_have_a_unit(name: str) -> None:
    assert ServerOptions.declarations()[name].unit == "seconds"


def test_rows() -> None:
    rows = dict(ROWS)
    assert (
        rows["max_outbox"] == "`int` (packets) | 512 | Packets that may be queued for one client."
    )
    assert rows["max_outbox_bytes"].startswith("`int` (bytes) | 8 MiB | ")
    assert rows["path"].startswith('`str` | `"/socket.io"`; `Engine` alone: `"/engine.io"` | ')
    assert rows["max_rooms"].endswith(" *(`Server` only)*")


@pytest.mark.parametrize(
    ("hint", "shown"),
    [
        (int, "`int`"),
        (float | None, "`float` or `None`"),
        (OverflowPolicy, '`"disconnect"`, `"drop_newest"` or `"drop_oldest"`'),
        (Origins, "`str`, `Collection` of `str` or function"),
        (CompressionOption, "`bool` or `Mapping`"),
    ],
)
def test_types(hint: Any, shown: str) -> None:  # noqa: ANN401 - types have no type of their own
    assert shown_type(hint) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (None, "bytes", "`None`"),
        (True, "", "`True`"),
        ("io", "", '`"io"`'),
        (0.25, "seconds", "0.25"),
        (20.0, "seconds", "20"),
        (16384, "bytes", "16 KiB"),
        (16384, "rooms", "16,384"),
        (100_000, "bytes", "100,000"),
        (100_000_000, "bytes", "100,000,000"),
    ],
)
def test_defaults(value: object, unit: str, shown: str) -> None:
    assert shown_default(value, unit) == shown


def test_every_row_has_the_cells_of_its_head() -> None:
    tables = [line for line in page().splitlines() if line.startswith("|")]
    assert {line.count("|") for line in tables} == {5, 4}
