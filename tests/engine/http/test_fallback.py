"""The application answers requests for other paths."""

import logging
from collections.abc import Awaitable, Callable

import pytest
import trio

from tests.support.memory_responder import MemoryResponder
from trio_sio.engine.http.fallback import Fallback
from trio_sio.engine.http.responder import HungUp
from trio_sio.http import BodyTooLarge, Headers, Request, Response
from trio_sio.logs.throttle import LogThrottle

GET = Request("GET", "/page?secret=1")
POST = Request("POST", "/page", Headers([("Content-Length", "3")]))


def fallback(
    function: Callable[[Request], Awaitable[Response]], *, raise_errors: bool = False
) -> Fallback:
    return Fallback(function, LogThrottle(), raise_errors=raise_errors)


@pytest.mark.parametrize("request_", [GET, POST])
async def test_its_response_is_the_response(request_: Request) -> None:
    async def page(request: Request) -> Response:
        return Response(200, [], request.method.encode())

    response = await fallback(page).answer(request_, MemoryResponder())
    assert isinstance(response, Response)
    assert response.body == request_.method.encode()


async def test_its_failure_is_logged_and_answered_500(caplog: pytest.LogCaptureFixture) -> None:
    async def page(request: Request) -> Response:
        raise KeyError("a")

    response = await fallback(page).answer(GET, MemoryResponder())
    assert isinstance(response, Response)
    assert (response.status, response.headers) == (500, [("Cache-Control", "no-store")])
    (record,) = [one for one in caplog.records if one.levelno == logging.ERROR]
    assert record.getMessage().startswith("fallback failed for GET /page")
    with pytest.raises(KeyError):
        await fallback(page, raise_errors=True).answer(GET, MemoryResponder())


async def test_a_response_that_cannot_be_sent_is_a_failure() -> None:
    grown = Response(200)
    grown.headers.append(("Content-Length", "5"))

    async def page(request: Request) -> Response:
        return grown if request is GET else "text"  # type: ignore[return-value]

    with pytest.raises(ValueError, match="Content-Length"):
        await fallback(page, raise_errors=True).answer(GET, MemoryResponder())
    with pytest.raises(TypeError, match="must return a Response"):
        await fallback(page, raise_errors=True).answer(POST, MemoryResponder())


async def test_a_body_that_does_not_come_is_no_failure_of_the_application() -> None:
    async def page(request: Request) -> Response:
        raise BodyTooLarge(11, 10)

    with pytest.raises(BodyTooLarge):
        await fallback(page).answer(POST, MemoryResponder())


async def test_it_is_cancelled_when_its_client_leaves() -> None:
    responder = MemoryResponder()

    async def page(request: Request) -> Response:
        responder.leave()
        await responder.wait_hung_up()
        await trio.sleep_forever()
        raise AssertionError

    with pytest.raises(HungUp):
        await fallback(page).answer(GET, responder)
