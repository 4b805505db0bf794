"""What the largest message costs at most: seconds of one step, during which nobody is served.

python -m pytest --long tests/protocol/test_large_bodies.py
"""

import sys
import time
from collections.abc import Callable

import pytest

from tests.protocol.engineio.test_jsonp_form import KINDS
from trio_sio.options import EngineOptions
from trio_sio.protocol.engineio.codec_v3 import (
    binary_piece,
    decode_binary_payload,
    decode_text_payload,
    text_piece,
)
from trio_sio.protocol.engineio.jsonp_form import decode_jsonp_form
from trio_sio.protocol.socketio.decoder import Decoder

QUANTUM = 10
"""A tenth of the largest body is read, and the time is multiplied: all of this is linear."""

SIZE = EngineOptions().max_http_buffer_size // QUANTUM


def event(element: str) -> str:
    return '2["e",[' + ",".join([element] * (SIZE // (len(element) + 1))) + "]]"


MESSAGES = {
    "a string": '2["e","' + "x" * SIZE + '"]',
    "a wide string": '2["e","' + "€" * (SIZE // 3) + '"]',
    "numbers": event("1"),
    "objects": event('{"a":1}'),
    "empty arrays": event("[]"),
}


@pytest.mark.long
def test_what_the_largest_body_costs(capsys: pytest.CaptureFixture[str]) -> None:
    def cost(what: str, act: Callable[[], object]) -> None:
        begun = time.perf_counter()
        act()
        seconds = (time.perf_counter() - begun) * QUANTUM
        with capsys.disabled():
            sys.stdout.write(f"\n{what}: {seconds:.1f} s")

    for name, piece in KINDS.items():
        body = b"d=" + piece * (SIZE // len(piece))
        cost(f"JSONP form of {name}", lambda body=body: decode_jsonp_form(body))  # type: ignore[misc]
    for name, message in MESSAGES.items():
        body = text_piece("4" + message)
        cost(f"payload of {name}", lambda body=body: list(decode_text_payload(body)))  # type: ignore[misc]
        cost(f"JSON of {name}", lambda message=message: Decoder().feed(message))  # type: ignore[misc]
    data = bytes(SIZE)
    cost("base64", lambda: list(decode_text_payload(text_piece(data))))
    cost("binary payload", lambda: list(decode_binary_payload(binary_piece(data))))
