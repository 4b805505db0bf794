"""What an end of a WebSocket says."""

from websockets.frames import CloseCode

from trio_sio.protocol.websocket.errors import (
    INVALID_DATA,
    PROTOCOL_ERROR,
    TOO_BIG,
    FrameError,
    WebSocketClosed,
)


def test_close_codes() -> None:
    assert PROTOCOL_ERROR == CloseCode.PROTOCOL_ERROR
    assert INVALID_DATA == CloseCode.INVALID_DATA
    assert TOO_BIG == CloseCode.MESSAGE_TOO_BIG


def test_an_error_is_an_end_with_a_code_and_a_sentence() -> None:
    error = FrameError(TOO_BIG, "a message of more than 5 bytes", "max_http_buffer_size", 5, 6)
    assert isinstance(error, WebSocketClosed)
    assert str(error) == error.sentence == "a message of more than 5 bytes"
    assert (error.code, error.option, error.limit, error.seen) == (
        1009,
        "max_http_buffer_size",
        5,
        6,
    )


def test_most_errors_are_of_no_limit() -> None:
    error = FrameError(1002, "an unmasked frame")
    assert (error.option, error.limit, error.seen) == ("", None, None)
