"""What clients do wrong is never told as a failure of the application, whoever reads the body."""

import logging
from typing import Any

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

import trio_sio
from tests.support.socket_pairs import socket_pair
from trio_sio.testing.wire import open_wire


async def _serve_nothing(session: trio_sio.abc.Session) -> None:
    await trio.sleep_forever()


async def read(request: trio_sio.Request) -> bool:
    await request.body(limit=10)
    return True


async def read_in_a_nursery(request: trio_sio.Request) -> bool:
    async with trio.open_nursery() as nursery:
        nursery.start_soon(read, request)
    return True


async def read_pieces(request: trio_sio.Request) -> bool:
    async for _ in request.stream(limit=10):
        pass
    return True


READERS = [read, read_in_a_nursery, read_pieces]
CHUNKED = {"Transfer-Encoding": "chunked"}
FAULTS = {
    "too large": ({"Content-Length": "11"}, b"", 413),
    "too large in chunks": (CHUNKED, b"b\r\n", 413),
    "no chunks": (CHUNKED, b"zz\r\n", 400),
    "too slow": ({"Content-Length": "3"}, b"a", 408),
    "leaves": ({"Content-Length": "3"}, b"a", None),
    "leaves in a chunk": (CHUNKED, b"3\r\na", None),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("option", ["fallback", "allow_request", "generate_id"])
@pytest.mark.parametrize("fault", FAULTS)
async def test_each_fault(
    option: str,
    reader: Any,  # noqa: ANN401
    fault: str,
    caplog: pytest.LogCaptureFixture,
    autojump_clock: MockClock,
) -> None:
    headers, data, status = FAULTS[fault]
    engine = trio_sio.Engine(
        **{option: reader}, body_timeout=3.0, handshake_timeout=9.0, raise_errors=True
    )
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        connection = wire.connect()
        is_fallback = option == "fallback"
        target = "/page" if is_fallback else wire.target("polling")
        await connection.send_request("POST" if is_fallback else "GET", target, headers)
        await connection.send(data)
        if status is None:
            await wait_all_tasks_blocked()
            await connection.aclose()
            await wait_all_tasks_blocked()
        else:
            response = await connection.receive_response()
            assert response.status == (status if is_fallback else 400)
    assert [one for one in caplog.records if one.levelno >= logging.ERROR] == []


async def test_what_the_application_raises_beside_it_is_told(
    caplog: pytest.LogCaptureFixture, autojump_clock: MockClock
) -> None:
    async def both(request: trio_sio.Request) -> trio_sio.Response:
        try:
            await request.body(limit=10)
        except trio_sio.BodyTooLarge as error:
            raise ExceptionGroup("both", [error, KeyError("mine")]) from None
        raise AssertionError

    engine = trio_sio.Engine(fallback=both)
    async with open_wire(engine, _serve_nothing, streams=socket_pair) as wire:
        response = await wire.connect().request("POST", "/page", body=b"a" * 11)
        assert response.status == 500
    assert "fallback failed for POST /page" in caplog.text
