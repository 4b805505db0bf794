"""The page that Prometheus scrapes, from a real server."""

import gzip
import re
import subprocess
from pathlib import Path

import prometheus_client
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

import trio_sio
from tests.support.peers import served
from tests.support.raw import raw
from trio_sio.http import Headers, Request, Response
from trio_sio.metrics import Collector, page

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def asked(path: str = "/metrics", method: str = "GET", **fields: str) -> Request:
    headers = Headers((name.replace("_", "-"), value) for name, value in fields.items())
    return Request(method, path, headers)


async def test_a_server_serves_its_numbers() -> None:
    io = trio_sio.Server(fallback=lambda request: answer(request))
    answer = page(Collector(io), token=None)
    async with served(io) as url, raw(url) as wire:
        response = await wire.get("/metrics")
        assert b"trio_sio_connections 1.0" in response.body
        assert (await wire.get("/other")).status == 404


async def test_a_scraper_gets_the_format_that_it_asks_for() -> None:
    answer = page(Collector(trio_sio.Server()), token=None)
    text = await answer(asked())
    assert dict(text.headers)["Content-Type"].startswith("text/plain")
    response = await answer(asked(accept=OPENMETRICS, accept_encoding="gzip"))
    fields = dict(response.headers)
    assert fields["Content-Type"].startswith("application/openmetrics-text")
    assert fields["Content-Encoding"] == "gzip"
    assert isinstance(response.body, bytes)
    text_of_all = gzip.decompress(response.body).decode()
    families = list(text_string_to_metric_families(text_of_all))  # type: ignore[no-untyped-call]
    assert "trio_sio_sessions" in {family.name for family in families}


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer wrong", "secret", "Bearer sécret"])
async def test_without_the_token_there_are_no_numbers(sent: str) -> None:
    answer = page(Collector(trio_sio.Server()), token="secret")
    response = await answer(asked(authorization=sent))
    assert response.status == 401
    assert dict(response.headers)["WWW-Authenticate"] == "Bearer"
    assert b"trio_sio" not in (response.body if isinstance(response.body, bytes) else b"")


async def test_with_the_token_there_are() -> None:
    answer = page(Collector(trio_sio.Server()), token="secret")
    assert (await answer(asked(authorization="Bearer secret"))).status == 200


async def test_numbers_are_only_read() -> None:
    answer = page(Collector(trio_sio.Server()), token=None)
    response = await answer(asked(method="POST"))
    assert (response.status, dict(response.headers)["Allow"]) == (405, "GET, HEAD")


async def test_other_paths_belong_to_somebody_else() -> None:
    async def other(request: Request) -> Response:
        return Response.text(200, request.path)

    registry = prometheus_client.CollectorRegistry()
    answer = page(registry, token="secret", path="/numbers", other=other)
    assert (await answer(asked("/metrics"))).body == b"/metrics\n"
    assert (await answer(asked("/numbers?x=1"))).status == 401


def test_what_cannot_be_meant_is_refused() -> None:
    registry = prometheus_client.CollectorRegistry()
    with pytest.raises(ValueError, match="token is empty"):
        page(registry, token="")
    with pytest.raises(ValueError, match="'metrics'"):
        page(registry, token=None, path="metrics")


ALERTS = Path(__file__).parents[2] / "examples" / "metrics" / "alerts.yml"


@pytest.mark.prometheus
def test_prometheus_takes_the_rules_for_alerts() -> None:
    subprocess.run(["promtool", "check", "rules", ALERTS], check=True, capture_output=True)


async def test_alerts_are_about_metrics_that_there_are() -> None:
    text = (await page(Collector(trio_sio.Server()), token=None)(asked())).body
    assert isinstance(text, bytes)
    there = set(re.findall(r"^(trio_sio_\w+)", text.decode(), re.MULTILINE))
    named = set(re.findall(r"trio_sio_\w+", ALERTS.read_text()))
    assert named
    assert named <= there
