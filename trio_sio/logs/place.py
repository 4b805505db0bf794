"""Where an exception came from: the same mistake, however often it happens, has one place."""

from types import TracebackType

_LIBRARIES = frozenset({"contextlib", "outcome", "trio", "trio_sio", "trio_websocket"})
"""Whose frames lie around the application's code."""

Place = tuple[str, str, int]
"""An exception's type, a file and a line."""


def place_of(error: BaseException) -> Place:
    """Return the type of an exception and the innermost line of the application's code.

    Of a group, the first exception counts. It is made of strings and numbers: nothing of it
    keeps a frame, or what its variables hold.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    kind = type(error)
    return (f"{kind.__module__}.{kind.__qualname__}", *_innermost(error.__traceback__))


def _innermost(traceback: TracebackType | None) -> tuple[str, int]:
    found, is_own = ("", 0), False
    while traceback is not None:
        frame = traceback.tb_frame
        module = str(frame.f_globals.get("__name__", ""))
        if module.partition(".")[0] not in _LIBRARIES:
            found, is_own = (frame.f_code.co_filename, traceback.tb_lineno), True
        elif not is_own:
            found = (frame.f_code.co_filename, traceback.tb_lineno)
        traceback = traceback.tb_next
    return found
