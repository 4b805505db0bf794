"""A process that obeys a test: a line of JSON for each order, each answer and each report.

    [number, verb, ...args]  ->  {"answer": number, "value"} or {"answer": number, "error"}
                                 {"event", "args"}

Tests of whole clusters have no event loop, since processes outlast a test: a thread reads what a
process says, and a test waits for it.
"""

import io
import itertools
import json
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

from tests.support.peers import pack, unpack

ROOT = Path(__file__).parents[2]

PATIENCE = 45.0
"""Seconds until a test that waits in vain fails; far more than anything takes."""


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that nobody tells, by asking again and again."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise NotToldError(f"it never came about: {what}")
        time.sleep(0.01)


class RefusedError(Exception):
    """The process could not do what it was told; the text is its error's."""


class NotToldError(AssertionError):
    """A test has waited in vain."""


class Report(NamedTuple):
    """What a process has told without being asked."""

    event: str
    args: list[Any]


class Answer:
    """What an order will bring.

    Args:
        process: what it was told to.
        number: of the order.
    """

    def __init__(self, process: "Process", number: int) -> None:
        self._process = process
        self._number = number

    def result(self) -> Any:  # noqa: ANN401
        """Wait for it.

        Raises:
            RefusedError: it was an error.
        """
        answers = self._process.answers
        self._process.wait_until(lambda: self._number in answers, f"answer {self._number}")
        answer = answers.pop(self._number)
        if "error" in answer:
            raise RefusedError(answer["error"])
        return answer["value"]


class Process:
    """A process that obeys a test.

    Args:
        name: what tests call it.
        command: what starts it.

    Attributes:
        name: the same.
        popen: the process.
        answers: those that nobody has asked for yet, by number.
        reports: what it has told without being asked.
    """

    def __init__(self, name: str, command: Sequence[str]) -> None:
        self.name = name
        pipe = subprocess.PIPE
        self.popen = subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe)
        self.answers: dict[int, dict[str, Any]] = {}
        self.reports: list[Report] = []
        self._numbers = itertools.count()
        self._changed = threading.Condition()
        self._has_ended = False
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    @property
    def has_ended(self) -> bool:
        """Whether it has."""
        return self._has_ended

    def kill(self) -> None:
        """End it at once, even if it is stopped."""
        self.popen.kill()
        self.popen.wait()
        self._reader.join()
        for pipe in (self.popen.stdin, self.popen.stdout):
            assert pipe is not None
            pipe.close()

    def pause(self) -> None:
        """Stop it without a word: its connections stay, and it does nothing."""
        self.popen.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self.popen.send_signal(signal.SIGCONT)

    def close(self) -> None:
        """End it as its user would: its input ends."""
        assert self.popen.stdin is not None
        self.popen.stdin.close()
        self.popen.wait(PATIENCE)

    def order(self, verb: str, *args: object) -> Answer:
        """Tell it to do something."""
        number = next(self._numbers)
        self.write([number, verb, *args])
        return Answer(self, number)

    def call(self, verb: str, *args: object) -> Any:  # noqa: ANN401
        """Tell it to do something, and wait for the result.

        Raises:
            RefusedError: it could not.
        """
        return self.order(verb, *args).result()

    def write(self, order: object) -> None:
        assert self.popen.stdin is not None
        self.popen.stdin.write(json.dumps(pack(order)).encode() + b"\n")
        self.popen.stdin.flush()

    def wait_until(
        self, condition: Callable[[], bool], what: object, seconds: float = PATIENCE
    ) -> None:
        """Wait until something that it says has made a condition true.

        Raises:
            NotToldError: it has not, within `seconds` or ever.
        """
        with self._changed:
            self._changed.wait_for(lambda: condition() or self._has_ended, seconds)
            if condition():
                return
        how = f"ended with {self.popen.poll()}" if self._has_ended else "did not tell"
        raise NotToldError(f"{self.name} {how}: {what}; its reports: {self.reports[-5:]}")

    def wait_for(self, event: str, count: int = 1) -> list[Any]:
        """Wait until it has told of an event so many times; return the last one's arguments."""
        self.wait_until(lambda: len(self.told(event)) >= count, f"{event}, {count} times")
        return self.told(event)[count - 1]

    def told(self, event: str) -> list[list[Any]]:
        """Return what it has told of an event, in order."""
        return [report.args for report in tuple(self.reports) if report.event == event]

    def _read(self) -> None:
        pipe = self.popen.stdout
        assert isinstance(pipe, io.BufferedReader)
        buffer = bytearray()
        while data := pipe.read1():
            buffer += data
            if b"\n" not in data:
                continue
            *lines, buffer = buffer.split(b"\n")
            said = [unpack(json.loads(line)) for line in lines]
            with self._changed:
                for one in said:
                    self._sort(one)
                self._changed.notify_all()
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def _sort(self, said: dict[str, Any]) -> None:
        if "answer" in said:
            self.answers[said["answer"]] = said
        else:
            self.reports.append(Report(said["event"], said["args"]))
