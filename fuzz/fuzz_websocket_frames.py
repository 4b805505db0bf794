"""Any bytes of a client become messages and perhaps an end, never anything else.

However they are cut, they become the same. The first byte says where they are cut.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.abc import TransportClosed
from trio_sio.engine.websocket.backends.websockets import Core
from trio_sio.engine.websocket.frame_parser import FrameParser
from trio_sio.protocol.websocket.frame import unmask

NAME = "websocket_frames"
MAX_SIZE = 1000
MAX_FRAGMENTS = 4096


def fuzz(data: bytes) -> Hashable:
    """Read the frames at once, and in two pieces."""
    frames = data[1:]
    cut = data[0] if data else 0
    at_once = _read([frames])
    assert _read([frames[:cut], frames[cut:]]) == at_once
    messages, end = at_once
    return (min(len(messages), 5), len({type(one) for one in messages}), end)


def _read(pieces: list[bytes]) -> tuple[list[str | bytes], Hashable]:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    core = Core(incoming, MAX_SIZE)
    messages: list[str | bytes] = []
    end: Hashable = None
    for piece in pieces:
        odd = incoming.feed(piece)
        while end is None:
            while odd:
                core.read(odd)
                odd = incoming.go_on()
            end = _take(incoming, messages)
            if not incoming.is_paused:
                break
            odd = incoming.resume()
    return messages, end


def _take(incoming: FrameParser, messages: list[str | bytes]) -> Hashable:
    """Take the messages that are whole; return the end, `None` if it has not come."""
    try:
        while (message := incoming.next()) is not None:
            assert len(message) <= MAX_SIZE
            messages.append(message)
    except TransportClosed as closed:
        return closed.code, str(closed.reason)
    return None


if __name__ == "__main__":
    harness.main(fuzz, NAME)
