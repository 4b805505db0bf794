"""The guide's table of metrics is what the collector exports."""

from pathlib import Path

import prometheus_client

import trio_sio
from trio_sio.metrics import Collector

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "metrics.md"


def row(family: prometheus_client.Metric) -> str:
    name = f"{family.name}_total" if family.type == "counter" else family.name
    found = {label for sample in family.samples for label in sample.labels} - {"le"}
    labels = sorted(found, key=lambda label: (label != "namespace", label))
    shown = ", ".join(f"`{label}`" for label in labels)
    return f"| `{name}` | {family.type} | {shown} | {family.documentation} |"


def test_the_table_has_each_metric_as_it_is() -> None:
    io = trio_sio.Server(connection_state_recovery={})
    lines = GUIDE.read_text("utf-8").splitlines()
    head = lines.index("| metric | type | labels | meaning |")
    shown = lines[head + 2 : lines.index("", head)]
    assert shown == [row(family) for family in Collector(io).collect()]
