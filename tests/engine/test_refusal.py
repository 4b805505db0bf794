"""What a refused request is told, and what the log says of it."""

import logging

import pytest

from tests.support.served_connection import undated
from trio_sio.engine.http.exchange import Exchange
from trio_sio.engine.refusal import (
    Refusal,
    RefusalLog,
    not_found,
    refusal_of,
    refused_post,
    unavailable,
    unreadable_body,
)
from trio_sio.exceptions import RequestRefused
from trio_sio.http import BodyError, BodyTooLarge, BodyTooSlow, InvalidBody, Request
from trio_sio.logs.throttle import LogThrottle
from trio_sio.protocol.engineio.handshake import ErrorCode
from trio_sio.statistics import Counters


@pytest.mark.parametrize("code", list(ErrorCode))
def test_a_code_brings_its_text_and_status(code: ErrorCode) -> None:
    refusal = Refusal(code, "why")
    assert refusal.message == refusal.websocket_text == code.message
    assert refusal.status == (403 if code is ErrorCode.FORBIDDEN else 400)
    assert str(refusal) == "why"


@pytest.mark.parametrize(
    ("refused", "status", "message", "websocket_text"),
    [
        (RequestRefused(), 403, "Forbidden", ""),
        (RequestRefused("origin not allowed"), 403, "origin not allowed", "origin not allowed"),
        (RequestRefused(code=1), 400, "Session ID unknown", "Session ID unknown"),
        (RequestRefused(code=4), 400, "Forbidden", "Forbidden"),
    ],
)
def test_the_application_refuses_by_text_or_by_code(
    refused: RequestRefused, status: int, message: str, websocket_text: str
) -> None:
    refusal = refusal_of(refused)
    assert (refusal.status, refusal.message, refusal.websocket_text) == (
        status,
        message,
        websocket_text,
    )


def test_a_code_that_does_not_exist_is_an_error() -> None:
    with pytest.raises(ValueError, match="7"):
        refusal_of(RequestRefused(code=7))


def test_a_request_of_polling_gets_json() -> None:
    response = Refusal(ErrorCode.FORBIDDEN, "why", "no").response()
    assert response.status == 403
    assert response.headers == [("Content-Type", "application/json")]
    assert response.body == b'{"code":4,"message":"no","detail":"why"}'


def refused_websocket(text: str, method: str = "GET") -> bytes:
    refusal = Refusal(ErrorCode.BAD_REQUEST, "", websocket_text=text)
    return Exchange(method, "/", []).render(refusal.websocket_response())


@pytest.mark.parametrize("text", ["Transport unknown", "", "é"])
def test_a_refused_websocket_is_400_whatever_the_reason(text: str) -> None:
    body = text.encode()
    assert undated(refused_websocket(text)) == (
        b"HTTP/1.1 400 Bad Request\r\nCache-Control: no-store\r\nConnection: close\r\n"
        b"Content-type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )


def test_what_answers_a_head_request_ends_with_its_head() -> None:
    head, _, body = refused_websocket("no").partition(b"\r\n\r\n")
    assert body == b"no"
    answer, _, nothing = refused_websocket("no", "HEAD").partition(b"\r\n\r\n")
    assert (answer[:25], nothing) == (head[:25], b"")
    assert b"Content-Length: 2" in answer


def test_a_refused_websocket_is_told_the_detail_as_well() -> None:
    response = Refusal(ErrorCode.BAD_REQUEST, "why", websocket_text="Bad Request")
    assert response.websocket_response().body == b"Bad Request\nwhy\n"


@pytest.mark.parametrize(
    ("error", "option", "status", "sentence"),
    [
        (BodyTooLarge(11, 10), "an_option", 413, b"a body of 11 bytes; 10 are allowed (an_option)"),
        (BodyTooSlow(5.0), "", 408, b"a body may take 5.0 s (body_timeout)"),
        (InvalidBody("chunks"), "", 400, b"chunks"),
        (InvalidBody("lines", 431, "max_headers", 1), "", 431, b"lines"),
    ],
)
def test_a_body_that_is_not_accepted(
    error: BodyError, option: str, status: int, sentence: bytes
) -> None:
    post = refused_post(error, option)
    assert (post.status, post.body) == (status, sentence + b"\n")
    other = unreadable_body(error)
    assert (other.status, other.body) == (status, f"{error}\n".encode())
    assert ("Connection", "close") in other.headers


def test_there_are_two_answers_of_plain_text() -> None:
    full, lost = unavailable("the server is full"), not_found("/a", "/b")
    assert (full.status, full.body) == (503, b"the server is full\n")
    assert ("Connection", "close") in full.headers
    assert (lost.status, lost.body) == (404, b"Nothing is at /a; this server answers at /b/\n")


async def test_a_refused_request_is_logged_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    log = RefusalLog(LogThrottle(), counters)
    request = Request("GET", "/a?b=c", remote="1.2.3.4")
    log.tell_refusal(request, Refusal(ErrorCode.FORBIDDEN, "why"))
    log.tell_refusal(request, Refusal(ErrorCode.UNSUPPORTED_PROTOCOL, "EIO is 4"))
    log.tell(Request("GET", "/a"), logging.INFO, "closing", "bye")
    counted = {kind: count for kind, count in counters.refused.items() if count}
    assert counted == {"forbidden": 1, "unsupported_protocol": 1, "closing": 1}
    first, second = [one.getMessage() for one in caplog.records if one.levelno > logging.INFO]
    assert first.startswith("refused GET /a")
    assert first.endswith("from 1.2.3.4: Forbidden: why")
    assert second.endswith("EIO is 4")
