"""Ids of new sessions, and the packet that begins them."""

import json
import logging

import pytest
from trio.testing import memory_stream_pair

from trio_sio.engine.engine import Engine
from trio_sio.engine.handshake import new_id, open_packet
from trio_sio.engine.http.connection import HTTPConnection
from trio_sio.engine.polling.transport import PollingTransport
from trio_sio.engine.refusal import Refusal
from trio_sio.http import Request
from trio_sio.protocol.engineio.session_id import node_of

REQUEST = Request("GET", "/engine.io/?user=anna")
CONNECTION = HTTPConnection(memory_stream_pair()[1])


async def test_ids_are_random_and_of_the_reference_servers_length() -> None:
    engine = Engine()
    ids = {await new_id(engine.sessions, REQUEST, CONNECTION) for _ in range(1000)}
    assert len(ids) == 1000
    assert {len(sid) for sid in ids} == {20}


async def test_ids_of_a_node_begin_with_its_own() -> None:
    engine = Engine(node_id="w3")
    ids = {await new_id(engine.sessions, REQUEST, CONNECTION) for _ in range(1000)}
    assert len(ids) == 1000
    assert {(node_of(sid), len(sid)) for sid in ids} == {("w3", 23)}
    made = Engine(node_id="w3", generate_id=lambda request: "mine")
    assert await new_id(made.sessions, REQUEST, CONNECTION) == "mine"


async def test_the_application_may_make_them() -> None:
    async def later(request: Request) -> str:
        return request.query_string

    assert await new_id(Engine(generate_id=later).sessions, REQUEST, CONNECTION) == "user=anna"
    assert (
        await new_id(Engine(generate_id=lambda request: "mine").sessions, REQUEST, CONNECTION)
        == "mine"
    )


@pytest.mark.parametrize("bad", ["", 5, None, "taken"])
async def test_an_id_that_cannot_be_used_is_refused_and_logged(
    bad: object, caplog: pytest.LogCaptureFixture
) -> None:
    engine = Engine(generate_id=lambda request: bad)  # type: ignore[arg-type,return-value]
    engine.sessions.add("taken", REQUEST, PollingTransport(base64=False))
    with pytest.raises(Refusal, match="generate_id failed"):
        await new_id(engine.sessions, REQUEST, CONNECTION)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert "unused text" in str(record.exc_info)


async def test_with_raise_errors_it_comes_out() -> None:
    engine = Engine(generate_id=lambda request: "", raise_errors=True)
    with pytest.raises(ValueError, match="unused text"):
        await new_id(engine.sessions, REQUEST, CONNECTION)


def test_the_open_packet_has_the_options_in_milliseconds() -> None:
    options = Engine(ping_interval=1.5, ping_timeout=0.25).options
    (part,) = open_packet(options, "abc", ["websocket"]).parts
    assert isinstance(part, str)
    assert part[0] == "0"
    assert json.loads(part[1:]) == {
        "sid": "abc",
        "upgrades": ["websocket"],
        "pingInterval": 1500,
        "pingTimeout": 250,
    }
