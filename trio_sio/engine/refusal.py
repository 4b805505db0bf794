"""Requests that are refused, and what the client is told."""

from trio_sio.exceptions import RequestRefused
from trio_sio.protocol.engineio.handshake import ErrorCode


class Refusal(Exception):
    """A request that is refused.

    Args:
        code: the error code.
        detail: a sentence for the log, and for who asks by HTTP; `""` if the message says it.
        message: the application's own text, `None` for the code's.
        status: the HTTP status, `None` for the code's.
        websocket_text: what a refused WebSocket request gets, `None` for the message.
    """

    def __init__(
        self,
        code: ErrorCode,
        detail: str,
        message: str | None = None,
        *,
        status: int | None = None,
        websocket_text: str | None = None,
    ) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.message = code.message if message is None else message
        self.status = code.status if status is None else status
        self.websocket_text = self.message if websocket_text is None else websocket_text


def refusal_of(refused: RequestRefused) -> Refusal:
    """Return what the client gets: the application's text, or a code with its own."""
    if refused.code is not None:
        return Refusal(ErrorCode(refused.code), "", status=400)
    return Refusal(
        ErrorCode.FORBIDDEN,
        "",
        refused.message or None,
        websocket_text=refused.message,
    )
