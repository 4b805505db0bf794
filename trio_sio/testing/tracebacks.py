"""Tracebacks that show the user's code, and not the way through ours, to it and from it."""

from collections.abc import Iterator
from types import TracebackType

_WAYS = {"contextlib", "outcome", "pytest_trio", "pytest_trio_sio", "trio", "trio_sio"}
"""Modules that an error passes on its way from a handler, or from a client, to the report."""


def begin_at_user(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback from the first of the user's functions on; all of it if there is none."""
    return next((one for one in _frames(traceback) if _is_users(one)), traceback)


def end_at_user(traceback: TracebackType | None) -> TracebackType | None:
    """Return a traceback up to the last of the user's functions; all of it if there is none."""
    frames = list(_frames(traceback))
    while frames and not _is_users(frames[-1]):
        frames.pop()
    if not frames:
        return traceback
    ended: TracebackType | None = None
    for one in reversed(frames):
        ended = TracebackType(ended, one.tb_frame, one.tb_lasti, one.tb_lineno)
    return ended


def _frames(traceback: TracebackType | None) -> Iterator[TracebackType]:
    while traceback is not None:
        yield traceback
        traceback = traceback.tb_next


def _is_users(traceback: TracebackType) -> bool:
    return _module(traceback) not in _WAYS


def _module(traceback: TracebackType) -> str:
    name: str = traceback.tb_frame.f_globals.get("__name__", "")
    return name.partition(".")[0]
