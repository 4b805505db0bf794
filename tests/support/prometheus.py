"""A real Prometheus, which scrapes what a test serves, several times a second.

    async with prometheus([3001], rules=text) as scraper:
        await scraper.wait("trio_sio_sessions == 2")
        for series in await scraper.ask("rate(trio_sio_events_in_total[2s])"):
            print(series.labels, series.value)

Its port is a free one, and its files are in a folder that is thrown away.
"""

import json
import math
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import urlopen

import trio

from tests.support.peers import DEADLINE
from tests.support.proxies import free_port
from tools.setup_machine import find_program

FOLDER = Path(__file__).parents[2] / "examples" / "metrics"
TARGETS = '["127.0.0.1:9464", "127.0.0.1:9465"]'
"""What `examples/metrics/prometheus.yml` scrapes."""

INTERVAL = 0.2
"""Seconds between two scrapes, in place of 15."""

_EVALUATION = "evaluation_interval: 500ms"


class Series(NamedTuple):
    """One series of an answer, at this moment."""

    labels: dict[str, str]
    value: float


class Scraper:
    """A running Prometheus.

    Args:
        port: where it listens.
    """

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}"

    async def ask(self, expression: str) -> list[Series]:
        """Evaluate an expression now; a series whose value is no number is left out."""
        data = await self._get("/api/v1/query", query=expression)
        found = [Series(one["metric"], float(one["value"][1])) for one in data["result"]]
        return [one for one in found if not math.isnan(one.value)]

    async def wait(self, expression: str) -> list[Series]:
        """Return what an expression says, as soon as it says something."""
        with trio.fail_after(DEADLINE):
            while True:
                found = await self.ask(expression)
                if found:
                    return found
                await trio.sleep(INTERVAL / 4)

    async def alerts(self) -> set[str]:
        """Return the names of the alerts that fire, or are about to."""
        data = await self._get("/api/v1/alerts")
        return {one["labels"]["alertname"] for one in data["alerts"]}

    async def _get(self, path: str, **query: str) -> Any:  # noqa: ANN401 - JSON
        try:
            body = await trio.to_thread.run_sync(_read, f"{self._url}{path}?{urlencode(query)}")
        except HTTPError as error:
            with error:
                raise AssertionError(f"{query}: {error.read().decode()}") from None
        return json.loads(body)["data"]

    async def wait_ready(self, process: trio.Process) -> None:
        """Return when it answers."""
        with trio.fail_after(DEADLINE):
            while True:
                assert process.returncode is None, "it ended: see its complaints above"
                try:
                    await trio.to_thread.run_sync(_read, f"{self._url}/-/ready")
                except HTTPError as not_yet:
                    not_yet.close()
                except OSError:
                    pass
                else:
                    return
                await trio.sleep(0.02)


def _read(url: str) -> bytes:
    with urlopen(url, timeout=DEADLINE) as response:
        body: bytes = response.read()
        return body


def configuration(ports: Sequence[int], token: str = "") -> str:
    """Return `examples/metrics/prometheus.yml` for these ports, in a hurry.

    Args:
        ports: of what is to be scraped, on 127.0.0.1.
        token: what the pages want to see, if anything.
    """
    text = (FOLDER / "prometheus.yml").read_text("utf-8")
    changes = {
        TARGETS: json.dumps([f"127.0.0.1:{port}" for port in ports]),
        "scrape_interval: 15s": f"scrape_interval: {1000 * INTERVAL:.0f}ms\n  {_EVALUATION}",
    }
    if token:
        head = "    static_configs:"
        changes[head] = f"    authorization: {{credentials: {json.dumps(token)}}}\n{head}"
    for old, new in changes.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@asynccontextmanager
async def prometheus(
    ports: Sequence[int], *, token: str = "", rules: str = ""
) -> AsyncIterator[Scraper]:
    """Run Prometheus; what it complains about goes to our stderr.

    Args:
        ports: of what it scrapes, on 127.0.0.1.
        token: what the pages want to see, if anything.
        rules: the file of rules, in place of that of the examples.
    """
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="prometheus-") as folder:
        command = _command(folder, port)
        _write(Path(folder), configuration(ports, token), rules)
        run_process = partial(trio.run_process, command, check=False, stdout=subprocess.DEVNULL)
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(run_process)
            scraper = Scraper(port)
            await scraper.wait_ready(process)
            yield scraper
            process.terminate()


def _command(folder: str, port: int) -> list[str]:
    found = find_program("prometheus")
    assert found is not None, "prometheus is not installed"
    options = {
        "config.file": f"{folder}/prometheus.yml",
        "storage.tsdb.path": f"{folder}/data",
        "web.listen-address": f"127.0.0.1:{port}",
        "log.level": "error",
    }
    return [found, *(f"--{name}={value}" for name, value in options.items())]


def _write(folder: Path, configuration: str, rules: str) -> None:
    folder.joinpath("prometheus.yml").write_text(configuration, "utf-8")
    rules = rules or (FOLDER / "alerts.yml").read_text("utf-8")
    folder.joinpath("alerts.yml").write_text(rules, "utf-8")
