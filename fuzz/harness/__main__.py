"""Runs a target under Atheris: libFuzzer mutates inputs, guided by which code each of them runs.

    python -m fuzz.harness fuzz.fuzz_query [option of libFuzzer or folder of inputs ...]

It is a program of its own, because modules are instrumented while they are imported, and because
libFuzzer ends the process as soon as an input fails. Only decoders are instrumented: what is around
them would lead away from them.
"""

import importlib
import sys
import traceback
from collections.abc import Callable, Hashable, Iterator, Sequence
from pathlib import Path

_ROOT = Path(__file__).parents[2]

_DECODERS = (
    "trio_sio.protocol",
    "trio_sio.adapters.redis.link.resp",
    "trio_sio.engine.http.fast_path",
    "trio_sio.engine.http.request_reader",
)
"""The modules, and packages, that are instrumented."""


def _main(module: str, arguments: Sequence[str]) -> None:
    atheris = importlib.import_module("atheris")  # which not every machine has
    assert "trio_sio" not in sys.modules  # it would stay as it is
    # `startswith` and `endswith` guide as well; the hook for patterns fails at those of bytes.
    atheris.enabled_hooks.add("str")
    # It can include whole packages only, and exclude single modules only.
    with atheris.instrument_imports(include=["trio_sio"], exclude=[*_others()]):
        target: Callable[[bytes], Hashable] = importlib.import_module(module).fuzz

    def try_input(data: bytes) -> None:
        try:
            target(data)
        except Exception as error:
            traceback.print_exception(error)  # libFuzzer prints nothing of a cause
            raise AssertionError(f"this input fails: {data!r}") from None

    atheris.Setup([module, *arguments], try_input)
    atheris.Fuzz()


def _others() -> Iterator[str]:
    """Yield the modules that are not instrumented."""
    for path in (_ROOT / "trio_sio").rglob("*.py"):
        name = ".".join(path.relative_to(_ROOT).with_suffix("").parts).removesuffix(".__init__")
        if name not in _DECODERS and not name.startswith("trio_sio.protocol."):
            yield name


if __name__ == "__main__":
    _main(sys.argv[1], sys.argv[2:])
