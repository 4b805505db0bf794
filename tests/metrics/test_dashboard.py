"""The dashboard for Grafana shows what there is; `test_prometheus.py` asks its questions."""

import re

import prometheus_client

import trio_sio
from tests.support.dashboard import DASHBOARD, expressions, metrics_in, panels, variables
from trio_sio.metrics import Collector


def collected() -> set[str]:
    """The names of all series that there are."""
    registry = prometheus_client.CollectorRegistry()
    registry.register(Collector(trio_sio.Server(connection_state_recovery={})))
    return {sample.name for family in registry.collect() for sample in family.samples}


def test_it_shows_every_metric_and_no_other() -> None:
    assert metrics_in(" ".join(expressions())) == collected()


def test_each_query_has_the_data_source_that_the_reader_chooses() -> None:
    chosen_by = variables()
    assert list(chosen_by) == ["datasource", "job", "instance", "namespace"]
    assert chosen_by["datasource"]["type"] == "datasource"
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    asking = [*panels(), *(target for panel in panels() for target in panel["targets"])]
    asking += [one for one in chosen_by.values() if one["type"] == "query"]
    assert len(asking) > 60
    assert all(one["datasource"] == chosen for one in asking)
    for expression in expressions():
        for selector in re.findall(r"trio_sio_\w+(\{.*?\})?", expression):
            assert selector.startswith('{job=~"$job",instance=~"$instance"'), expression


def test_each_panel_has_a_place_and_a_number_of_its_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARD["panels"]:
        place = panel["gridPos"]
        cells = {
            (place["x"] + column, place["y"] + row)
            for column in range(place["w"])
            for row in range(place["h"])
        }
        assert place["x"] + place["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    titles = [panel["title"] for panel in panels()]
    assert len(titles) == len(set(titles))
    for panel in panels():
        assert panel["description"].endswith("."), panel["title"]
        names = [target["refId"] for target in panel["targets"]]
        assert names == ["A", "B", "C", "D", "E"][: len(names)]
        assert all(target["legendFormat"] for target in panel["targets"])
