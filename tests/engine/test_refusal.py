"""What a refused request is told."""

import pytest

from trio_sio.engine.refusal import Refusal, refusal_of
from trio_sio.exceptions import RequestRefused
from trio_sio.protocol.engineio.handshake import ErrorCode


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
