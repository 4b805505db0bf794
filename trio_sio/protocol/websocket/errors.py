"""Why a WebSocket has no more messages, and the close codes that say so (RFC 6455, section 7.4.1).

WebSocketClosed     the client has closed the WebSocket, or the connection
 └─ FrameError      the client broke the protocol, or exceeded a limit
"""

PROTOCOL_ERROR = 1002
INVALID_DATA = 1007
TOO_BIG = 1009


class WebSocketClosed(Exception):
    """There are no more messages: the client has closed the WebSocket, or the connection."""


class FrameError(WebSocketClosed):
    """There are no more messages: the client broke the protocol, or exceeded a limit.

    Args:
        code: the close code that the client is owed (RFC 6455, section 7.4.1).
        sentence: what it did.
        option: the option whose limit it exceeded, `""` for none.
        limit: the limit, in bytes or fragments.
        seen: what was seen, in the same unit, as far as that is known.
    """

    def __init__(
        self,
        code: int,
        sentence: str,
        option: str = "",
        limit: int | None = None,
        seen: int | None = None,
    ) -> None:
        super().__init__(sentence)
        self.code = code
        self.sentence = sentence
        self.option = option
        self.limit = limit
        self.seen = seen
