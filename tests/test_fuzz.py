"""Each fuzz target, over a fixed number of inputs that are always the same, and its regressions."""

import importlib
import itertools
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import ModuleType

import pytest

import fuzz.harness
from fuzz.harness import inputs, mutation

FOLDER = Path(fuzz.harness.__file__).parents[1]
TARGETS = sorted(path.stem for path in FOLDER.glob("fuzz_*.py"))

INPUTS = 1000
INPUTS_OF = {"fuzz_connection": 60, "fuzz_connection_4": 60}  # each is a server: 20 ms

each_target = pytest.mark.parametrize("name", TARGETS)


def limit(count: int) -> Callable[[], bool]:
    steps = itertools.count()
    return lambda: next(steps) < count


def module_of(name: str) -> ModuleType:
    return importlib.import_module(f"fuzz.{name}")


def test_targets() -> None:
    assert TARGETS == [
        "fuzz_chunked",
        "fuzz_close_search",
        "fuzz_cluster_message",
        "fuzz_connection",
        "fuzz_connection_4",
        "fuzz_decoder_5",
        "fuzz_deep_json",
        "fuzz_engineio_payload",
        "fuzz_forwarded",
        "fuzz_http_fields",
        "fuzz_http_head",
        "fuzz_jsonp_form",
        "fuzz_msgpack_5",
        "fuzz_msgpack_decoder",
        "fuzz_notepack",
        "fuzz_payload_4",
        "fuzz_proxy_header",
        "fuzz_query",
        "fuzz_redis_reply",
        "fuzz_request_target",
        "fuzz_session",
        "fuzz_socketio_decoder",
        "fuzz_websocket_frames",
    ]


@each_target
def test_invariant_holds(name: str) -> None:
    target = module_of(name)
    corpus = inputs.seeds(target.NAME)
    more = INPUTS_OF.get(name, INPUTS)
    count = mutation.run(target.fuzz, corpus, Random(20), limit(more))
    assert count == len(corpus) + more


@each_target
def test_seeds_are_few_and_lead_to_different_outcomes(name: str) -> None:
    target = module_of(name)
    seeds = inputs.read_all(inputs.corpus_folder(target.NAME))
    assert 5 <= len(seeds) <= 30
    assert len({*seeds}) == len(seeds)
    assert len({target.fuzz(data) for data in seeds}) >= len(seeds) / 2


def regressions() -> list[tuple[str, Path]]:
    folder = FOLDER / "regressions"
    return [(f"fuzz_{path.parent.name}", path) for path in sorted(folder.glob("*/*"))]


def test_regressions_belong_to_targets() -> None:
    assert {name for name, _ in regressions()} <= {*TARGETS}


@pytest.mark.parametrize(
    ("name", "path"), regressions(), ids=lambda one: one.name if isinstance(one, Path) else one
)
def test_what_broke_it_once_does_so_no_more(name: str, path: Path) -> None:
    module_of(name).fuzz(path.read_bytes())


@each_target
def test_a_target_begins_with_its_invariant(name: str) -> None:
    target = module_of(name)
    first_line, *_ = str(target.__doc__).splitlines()
    assert first_line.startswith("Any ")
    assert first_line.endswith(".")
    assert f"fuzz_{target.NAME}" == name
