"""Who hears emitters: a server and clients in JavaScript, `tests/javascript/emitter_audience.js`.

Three clients: "both" is in the rooms "a" and "b", "a" is in "a", and "chat" is in "a" of "/chat".
"""

import base64
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import pytest

from tests.support.redis_server import RedisServer

SCRIPT = Path(__file__).parents[1] / "javascript" / "emitter_audience.js"

EVERYBODY = frozenset({"both", "a"})
"""Who is in "/"."""


class EmitterAudience:
    """Clients in JavaScript that hear what is published; a context manager.

    Args:
        url: of Redis.
        key: of the server.

    Attributes:
        ids: the clients' ids, by their names.
    """

    def __init__(self, url: str, key: str = "socket.io") -> None:
        self._process = subprocess.Popen(
            ["node", str(SCRIPT), json.dumps({"url": url, "key": key})],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
        )
        self.ids: dict[str, str] = self._read()["ready"]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._process:  # closes its stdin, at which it ends
            pass

    def _read(self) -> Any:  # noqa: ANN401
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "Node.js has ended, see its stderr"
        return json.loads(line)

    def heard(self, last: str) -> dict[str, list[list[Any]]]:
        """Return what each client has got before an event that is the last for all of them.

        Args:
            last: the event's name; it has to be emitted to both namespaces.
        """
        events: dict[str, list[list[Any]]] = {}
        waiting = set(self.ids)
        while waiting:
            line = self._read()
            if line["event"] == last:
                waiting.remove(line["client"])
            else:
                event = [line["event"], *_with_bytes(line["args"])]
                events.setdefault(line["client"], []).append(event)
        return events


def _with_bytes(value: Any) -> Any:  # noqa: ANN401
    if isinstance(value, list):
        return [_with_bytes(one) for one in value]
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return base64.b64decode(value["$bytes"])
        return {key: _with_bytes(one) for key, one in value.items()}
    return value


@pytest.fixture
def audience(redis_server: RedisServer) -> Iterator[EmitterAudience]:
    """Clients of a server at the test's Redis."""
    with EmitterAudience(redis_server.url) as clients:
        yield clients
