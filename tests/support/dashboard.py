"""The dashboard and the alerts of `examples/metrics`, as tests look at them."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parents[2] / "examples" / "metrics"
DASHBOARD: dict[str, Any] = json.loads(FOLDER.joinpath("grafana.json").read_text("utf-8"))
ALERTS = FOLDER.joinpath("alerts.yml").read_text("utf-8")


def panels() -> list[dict[str, Any]]:
    """Return the panels that show something."""
    return [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def variables() -> dict[str, dict[str, Any]]:
    """Return what the reader can choose, by name."""
    return {one["name"]: one for one in DASHBOARD["templating"]["list"]}


def expressions() -> Iterator[str]:
    """Yield what the panels ask Prometheus."""
    for panel in panels():
        for target in panel["targets"]:
            yield target["expr"]


def metrics_in(text: str) -> set[str]:
    """Return the names of series of ours in a text."""
    return set(re.findall(r"\btrio_sio_\w+", text))
