"""No object is changed from outside, and no function of a module does a method's work.

Whoever wants an object changed asks it, by a method with a name. A function that needs three things
of an object is given those three.
"""

import re
from collections.abc import Iterator

import pytest

from tools.source import Source, Sources, exiled_methods, foreign_assignments, read_package

USED = 3
"""Attributes of another file's class that a function may use of its first argument."""

# What may be set from outside, and why.
SETTABLE = {
    r"(\w+\.)*_?counters\.\w+": "figures: whoever sees something happen counts it, without a call",
    r"(\w+\.)*(cancel_scope|\w*scope|_writer)\.(deadline|shield)": "so Trio wants it",
}
# Where it is done besides, and why.
ALLOWED = {
    ("failures.py", "error.__context__"): "Python sets it at each `raise`; it stays what it was",
    ("engine/session/outbox.py", "ticks.emits"): "a count, on the way of each emit, without a call",
    ("logs/throttle.py", "line.kept_back"): "a record of this file's own",
    ("workers/child.py", "record.processName"): "so `logging` wants it, of a factory of records",
    ("demo/hall.py", "person.nick"): "a record of this file's own",
    ("demo/hall.py", "person.named_at"): "a record of this file's own",
    ("engine/websocket/backends/websockets.py", "protocol.max_message_size"): "so websockets wants",
    ("engine/websocket/backends/websockets.py", "self._protocol.extensions"): "so websockets wants",
    ("adapters/redis/link/address.py", "context.check_hostname"): "so `ssl` wants it",
    ("adapters/redis/link/address.py", "context.verify_mode"): "so `ssl` wants it",
    ("conformance/target.py", "tls.check_hostname"): "so `ssl` wants it",
    ("conformance/target.py", "tls.verify_mode"): "so `ssl` wants it",
    ("conformance/report.py", "text.text"): "so `xml.etree` wants it",
    ("testing/machines/trio_thread.py", "self._clock.autojump_threshold"): "so Trio wants it",
    ("options/declaration.py", "method.__signature__"): "so `inspect` wants it, of a decorator",
}

PACKAGE = read_package()


def assigned(sources: Sources) -> Iterator[tuple[str, str]]:
    """Where the attribute of another object is set, and which."""
    for source in sources.values():
        for one in foreign_assignments(source):
            if not any(re.fullmatch(pattern, one.target) for pattern in SETTABLE):
                yield source.name, one.target


def exiled(sources: Sources) -> Iterator[str]:
    """Which functions should be methods of their first argument, or be given less."""
    for source in sources.values():
        for one in exiled_methods(source, sources):
            if len(one.used) > USED:
                yield one.where


def test_no_object_is_changed_from_outside() -> None:
    assert set(assigned(PACKAGE)) - ALLOWED.keys() == set()


def test_what_is_allowed_is_there() -> None:
    assert ALLOWED.keys() <= set(assigned(PACKAGE))
    targets = [one.target for source in PACKAGE.values() for one in foreign_assignments(source)]
    for pattern in SETTABLE:
        assert any(re.fullmatch(pattern, target) for target in targets), pattern


def test_no_function_does_the_work_of_a_method() -> None:
    assert set(exiled(PACKAGE)) == set()


# That all of this would be seen.


@pytest.mark.parametrize(
    "line",
    [
        "other.name = 1",
        "other.name: int = 1",
        "other.name += 1",
        "self.other.name = 1",
        "other[0].name = 1",
        "make().name = 1",
        "a, other.name = 1, 2",
        "del other.name",
        "for other.name in a: pass",
        "with a as other.name: pass",
        "setattr(other, 'name', 1)",
        "object.__setattr__(other, 'name', 1)",
        "self.scope.counters.more.name = 1",
    ],
)
@pytest.mark.parametrize(
    "context",
    [
        "class Model:\n    def method(self, other, a):\n        {}",
        "class Model:\n    @classmethod\n    async def make(cls, other, a):\n        {}",
        "class Model:\n    def outer(self, other, a):\n        def inner():\n            {}",
        "def function(self, other, a):\n    {}",
    ],
)
def test_the_checker_catches_an_assignment(line: str, context: str) -> None:
    found = list(assigned({"here.py": Source("here.py", context.format(line))}))
    assert len(found) == 1
    assert ".name" in found[0][1] or "'name'" in found[0][1]


@pytest.mark.parametrize(
    "text",
    [
        "class Model:\n    def method(self):\n        self.name = 1",
        "class Model:\n    def method(this):\n        this.name += 1",
        "class Model:\n    def outer(self):\n        def inner():\n            self.name = 1",
        "class Model:\n    @classmethod\n    def make(cls):\n        a = cls()\n        a.b = 1",
        "class Model:\n    def copy(self):\n        new = object.__new__(Model)\n        new.a = 1",
        "def decorate(f):\n    def inner(): f()\n    inner.original = f\n    return inner",
        "class Model:\n    def __init__(self):\n        object.__setattr__(self, 'name', 1)",
        "class Model:\n    def count(self):\n        self._counters.bytes_in += 1",
        "def hurry(nursery):\n    nursery.cancel_scope.deadline = 1",
        "name = 1\nnames[0] = 2",
    ],
)
def test_the_checker_lets_pass(text: str) -> None:
    assert list(assigned({"here.py": Source("here.py", text)})) == []


MODEL = "class Model:\n    pass\n\nclass Other:\n    pass\n"
FUNCTION = """
{imports}

{kind} function({parameters}):
    one.a(one.b).c(one.b.c)
    if one:
        return [one.{last}]
"""


def exiles(imports: str, parameters: str, last: str, kind: str = "def") -> list[str]:
    text = FUNCTION.format(imports=imports, parameters=parameters, last=last, kind=kind)
    model = Source("room/model.py", MODEL)
    return list(exiled({"room/model.py": model, "room/here.py": Source("room/here.py", text)}))


FROM = "from trio_sio.room.model import Model"


@pytest.mark.parametrize(
    ("imports", "parameters"),
    [
        (FROM, "one: Model, two: int"),
        (FROM, "one: 'Model'"),
        (FROM, "one: Model[int]"),
        (FROM, "one: Model, /"),
        (f"{FROM} as Thing", "one: Thing"),
        (f"from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    {FROM}", 'one: "Model"'),
    ],
)
@pytest.mark.parametrize("kind", ["def", "async def"])
def test_the_checker_catches_an_exiled_method(imports: str, parameters: str, kind: str) -> None:
    expected = ["room/here.py:function"]
    assert exiles(imports, parameters, "d + one.e", kind) == expected
    assert exiles(imports, parameters, "a", kind) == []  # used thrice, but two different ones


@pytest.mark.parametrize(
    ("imports", "parameters"),
    [
        (FROM, "two: int, one: Model"),
        (FROM, "one"),
        (FROM, "*, one: Model"),
        ("class Model: pass", "one: Model"),  # one's own
        ("from elsewhere import Model", "one: Model"),
    ],
)
def test_the_checker_lets_other_functions_pass(imports: str, parameters: str) -> None:
    assert exiles(imports, parameters, "d + one.e") == []
