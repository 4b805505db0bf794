"""Any bytes of a client become messages and perhaps an end, never anything else.

However they are cut, they become the same. The first byte says where they are cut.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.engine.websocket.backends.websockets import Core
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser

NAME = "websocket_frames"
MAX_SIZE = 1000
LIMITS = FrameLimits(MAX_SIZE, max_fragments=4096, first_quantum=2, quantum=8)


def fuzz(data: bytes) -> Hashable:
    """Read the frames at once, and in two pieces."""
    frames = data[1:]
    cut = data[0] if data else 0
    at_once = _read([frames])
    assert _read([frames[:cut], frames[cut:]]) == at_once
    messages, end = at_once
    return (min(len(messages), 5), len({type(one) for one in messages}), end)


def _read(pieces: list[bytes]) -> tuple[list[str | bytes], Hashable]:
    parser = FrameParser(LIMITS, unmask)
    core = Core(parser, control=_ignore)
    messages: list[str | bytes] = []
    end: Hashable = None
    for piece in pieces:
        odd = parser.feed(piece)
        while end is None:
            while odd:
                core.read(odd, LIMITS.too_big())
                odd = parser.go_on()
            end = _take(parser, messages)
            if not parser.is_paused:
                break
            odd = parser.resume()
    return messages, end


def _take(parser: FrameParser, messages: list[str | bytes]) -> Hashable:
    """Take the messages that are whole; return the end, `None` if it has not come."""
    try:
        while (message := parser.next_message()) is not None:
            assert len(message) <= MAX_SIZE
            messages.append(message)
    except FrameError as error:
        return error.code, error.option
    except WebSocketClosed:
        return "closed"
    return None


def _ignore(data: bytes) -> None:
    """Take a pong or a close frame, for nobody."""


if __name__ == "__main__":
    harness.main(fuzz, NAME)
