"""One place for each mistake, whatever was called on the way to it."""

import gc
import weakref

import pytest

from trio_sio.logs.place import Place, place_of
from trio_sio.router.handlers import HandlerTable, Registration

FIRST, SECOND = 1, 2


def fail(line: int) -> None:
    if line == FIRST:
        raise LookupError
    raise LookupError


def caught(line: int) -> LookupError:
    with pytest.raises(LookupError) as error:
        fail(line)
    return error.value


def test_the_same_line_is_the_same_place() -> None:
    first, again, second = place_of(caught(FIRST)), place_of(caught(FIRST)), place_of(caught(2))
    line = fail.__code__.co_firstlineno
    assert first == again == ("builtins.LookupError", __file__, line + 2)
    assert second == ("builtins.LookupError", __file__, line + 3)


def test_the_packages_own_lines_are_not_the_applications() -> None:
    with pytest.raises(TypeError) as error:
        HandlerTable().add(3, Registration(fail))  # type: ignore[arg-type]  # that is the mistake
    line = test_the_packages_own_lines_are_not_the_applications.__code__.co_firstlineno
    assert place_of(error.value) == ("builtins.TypeError", __file__, line + 2)


def test_without_the_applications_lines_the_last_one_counts() -> None:
    table = HandlerTable()
    names = {"__name__": "trio_sio.somewhere", "add": table.add, "registration": Registration(fail)}
    with pytest.raises(TypeError) as error:
        exec("add(3, registration)", names)
    traceback = error.value.__traceback__
    assert traceback is not None
    error.value.__traceback__ = traceback.tb_next  # without this test's own line
    kind, file, line = place_of(error.value)
    assert (kind, file.endswith("handlers.py"), line > 0) == ("builtins.TypeError", True, True)


def test_of_a_group_the_first_counts() -> None:
    group = ExceptionGroup("", [ExceptionGroup("", [caught(SECOND)]), caught(FIRST)])
    assert place_of(group) == place_of(caught(SECOND))


def test_what_was_never_raised_has_no_line() -> None:
    assert place_of(LookupError()) == ("builtins.LookupError", "", 0)


def test_a_place_keeps_nothing_of_the_variables() -> None:
    class Thing:
        """Something that a frame holds."""

    def place() -> tuple[Place, weakref.ref[Thing]]:
        thing = Thing()
        try:
            fail(FIRST)
        except LookupError as error:
            return place_of(error), weakref.ref(thing)
        raise AssertionError

    kept, there = place()
    gc.collect()
    assert kept
    assert there() is None
