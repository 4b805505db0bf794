"""A test of any server by bytes. It has to listen on the port of SERVER_PORT, 3000 by default."""

import json
import os

import pytest
import trio

from trio_sio.testing.wire import packets_of, text_payload
from trio_sio.testing.wire_http import WireConnection

PORT = int(os.environ.get("SERVER_PORT", "3000"))
POLLING = "/socket.io/?EIO=3&transport=polling"


@pytest.fixture
async def connection():
    stream = await trio.open_tcp_stream("127.0.0.1", PORT)
    async with stream:
        yield WireConnection(stream, patience=5)


@pytest.mark.trio
async def test_a_request_may_come_byte_by_byte(connection):
    await connection.send(connection.request_bytes("GET", POLLING), cut=1)
    opening, joined = packets_of(await connection.receive_response())
    assert str(opening).startswith("0{")
    assert joined == "40"


@pytest.mark.trio
async def test_a_session_that_nobody_has_opened_is_refused(connection):
    body = text_payload(['42["hello"]'])
    response = await connection.request("POST", f"{POLLING}&sid=nobody", body=body)
    assert response.status == 400
    assert json.loads(response.body)["message"] == "Session ID unknown"
