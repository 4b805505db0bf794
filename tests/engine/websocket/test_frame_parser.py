"""Frames to messages: what is read here, what the library's core reads, and both in one stream."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from tests.support.raw_websocket import BINARY, CLOSE, PING, PONG, TEXT, frame
from trio_sio.abc import TransportClosed
from trio_sio.disconnect import DisconnectReason
from trio_sio.engine.runtime.fairness import FIRST_QUANTUM, QUANTUM
from trio_sio.engine.websocket.backends.websockets import Core
from trio_sio.engine.websocket.frame_parser import FrameParser
from trio_sio.protocol.websocket.frame import unmask

CONTINUATION = 0
COMPRESSED = 0x40
MAX_SIZE = 70_000
MAX_FRAGMENTS = 4096


class Both:
    """Frames read by `FrameParser`, with the core of websockets for what it leaves."""

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self.incoming = FrameParser(max_size, MAX_FRAGMENTS, unmask)
        self.core = Core(self.incoming, max_size)
        self.next = self.incoming.next

    def feed(self, data: bytes) -> None:
        piece = self.incoming.feed(data)
        while piece or self.incoming.is_paused:
            if piece:
                self.core.read(piece)
                piece = self.incoming.go_on()
            else:
                piece = self.incoming.resume()


def drain(incoming: Both) -> tuple[list[str | bytes], int | str | None]:
    """The messages so far; then the code of the end, its reason if it has none, or `None`."""
    messages: list[str | bytes] = []
    try:
        while (message := incoming.next()) is not None:
            messages.append(message)
    except TransportClosed as end:
        return messages, end.code or str(end.reason)
    return messages, None


def read(*chunks: bytes, max_size: int = MAX_SIZE) -> tuple[list[str | bytes], int | str | None]:
    incoming = Both(max_size)
    for chunk in chunks:
        incoming.feed(chunk)
    return drain(incoming)


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (frame(TEXT, b"4hello"), ["4hello"]),
        (frame(TEXT, "4é€😀".encode()), ["4é€😀"]),
        (frame(TEXT, b""), [""]),
        (frame(BINARY, b"\x04\x00\xff"), [b"\x04\x00\xff"]),
        (frame(TEXT, b"a" * 125) + frame(TEXT, b"b" * 126), ["a" * 125, "b" * 126]),
        (frame(BINARY, b"c" * 65535) + frame(BINARY, b"d" * 65536), [b"c" * 65535, b"d" * 65536]),
        (frame(TEXT, b"a") + frame(PING, b"?") + frame(TEXT, b"b"), ["a", "b"]),
        (frame(PONG, b"") + frame(TEXT, b"b"), ["b"]),
        (
            frame(TEXT, b"a", fin=False)
            + frame(CONTINUATION, b"b", fin=False)
            + frame(PING, b"")
            + frame(CONTINUATION, b"c")
            + frame(BINARY, b"d"),
            ["abc", b"d"],
        ),
        (frame(TEXT, b"", fin=False) + frame(CONTINUATION, b"") + frame(TEXT, b"x"), ["", "x"]),
    ],
)
def test_messages(data: bytes, messages: list[str | bytes]) -> None:
    assert read(data) == (messages, None)
    middle = len(data) // 2
    assert read(data[:middle], data[middle:]) == (messages, None)
    assert read(*[bytes([byte]) for byte in data[:5000]], data[5000:]) == (messages, None)


@pytest.mark.parametrize(
    ("data", "end"),
    [
        (frame(CLOSE, b""), "transport close"),
        (frame(CLOSE, (1001).to_bytes(2, "big") + b"bye"), "transport close"),
        (frame(TEXT, b"x", mask=False), 1002),
        (frame(TEXT, b"x", rsv=0x40), 1002),
        (frame(3, b"x"), 1002),
        (frame(CONTINUATION, b"x"), 1002),
        (frame(PING, b"x" * 126), 1002),
        (frame(TEXT, b"a", fin=False) + frame(TEXT, b"b"), 1002),
        (frame(TEXT, b"\xff"), 1007),
        (frame(TEXT, b"\xe2\x82", fin=False) + frame(CONTINUATION, b"x"), 1007),
        (frame(TEXT, b"x" * (MAX_SIZE + 1)), 1009),
        (frame(BINARY, b"", fin=False) + frame(CONTINUATION, b"", fin=False) * MAX_FRAGMENTS, 1009),
    ],
)
def test_the_end_comes_after_what_came_before_and_is_the_end(data: bytes, end: int | str) -> None:
    before = frame(TEXT, b"4before")
    assert read(before + data + frame(TEXT, b"4late")) == (["4before"], end)
    incoming = Both()
    incoming.feed(before + data)
    incoming.feed(frame(TEXT, b"4late"))
    assert drain(incoming) == (["4before"], end)
    assert drain(incoming) == ([], end)


def test_the_limit_holds_for_small_frames_too() -> None:
    assert read(frame(TEXT, b"x" * 10), max_size=10) == (["x" * 10], None)
    assert read(frame(TEXT, b"x" * 11), max_size=10) == ([], 1009)
    halves = frame(TEXT, b"x" * 6, fin=False) + frame(CONTINUATION, b"x" * 5)
    assert read(halves, max_size=10) == ([], 1009)


@pytest.mark.parametrize("compressed", [0, COMPRESSED])
def test_a_head_that_announces_too_much_is_enough(compressed: int) -> None:
    """The library is not asked, whatever it would do: not even about what it has begun."""
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    first = frame(TEXT, b"x" * 60_000, fin=False, rsv=compressed)
    assert incoming.feed(first) == (first if compressed else b"")
    assert incoming.go_on() == b""
    head = bytes((CONTINUATION, 0xFE)) + (MAX_SIZE - 59_999).to_bytes(2, "big") + b"mask"
    assert incoming.feed(head) == b""
    with pytest.raises(TransportClosed, match="transport error") as caught:
        incoming.next()
    assert caught.value.code == 1009


def test_it_says_which_piece_completes_a_message() -> None:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    first, ping, last = (
        frame(TEXT, b"a", fin=False, rsv=COMPRESSED),
        frame(PING, b""),
        frame(CONTINUATION, b"b" * 10),
    )
    assert incoming.feed(first + ping + last[:9]) == first
    assert not incoming.completes
    assert (incoming.go_on(), incoming.completes) == (ping, False)
    assert incoming.go_on() == b""
    assert (incoming.resume(), incoming.completes) == (last[:9], False)
    assert incoming.go_on() == b""
    assert (incoming.feed(last[9:] + frame(TEXT, b"c")), incoming.completes) == (last[9:], True)
    assert incoming.go_on() == b""
    assert incoming.next() == "c"


def test_large_frames_and_fragments_are_no_business_of_the_library() -> None:
    """It would keep them until its garbage is collected."""
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    large, ping = frame(BINARY, b"12345" * 2000), frame(PING, b"")
    for start in range(0, len(large), 999):
        assert incoming.is_clear == (start == 0)
        assert incoming.feed(large[start : start + 999]) == b""
    assert incoming.next() == b"12345" * 2000
    assert incoming.is_clear
    assert incoming.feed(frame(TEXT, b"a", fin=False) + ping) == ping
    assert incoming.go_on() == b""
    assert not incoming.is_clear
    assert incoming.feed(frame(CONTINUATION, b"b")) == b""
    assert not incoming.is_clear
    assert incoming.next() == "ab"
    assert incoming.is_clear


@pytest.mark.parametrize(
    ("data", "is_clear"),
    [
        (b"", True),
        (frame(PING, b""), True),
        (frame(PING, b"x")[:3], False),
        (frame(PING, b"x")[:-1], False),
        (frame(TEXT, b"x")[:1], False),
        (frame(TEXT, b"x")[:-1], False),
        (frame(TEXT, b"", fin=False), False),
        (frame(TEXT, b"", fin=False, rsv=COMPRESSED), False),
    ],
)
def test_whether_all_has_been_read(data: bytes, is_clear: bool) -> None:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    piece = incoming.feed(data)
    while piece:
        piece = incoming.go_on()
    assert incoming.is_clear == is_clear


def test_what_has_been_read_can_be_forgotten() -> None:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    for data in (frame(TEXT, b"x"), frame(BINARY, b"x", fin=False), frame(CONTINUATION, b"x")[:-1]):
        incoming.feed(data)
    incoming.clear()
    assert incoming.next() is None


def test_pings_are_answered_by_the_core() -> None:
    answers: list[bytes] = []
    incoming = Both()
    incoming.core.control = answers.append
    incoming.feed(frame(TEXT, b"a") + frame(PING, b"one")[:4])
    assert answers == []
    incoming.feed(frame(PING, b"one")[4:] + frame(TEXT, b"b"))
    assert answers == [b"\x8a\x03one"]
    assert drain(incoming) == (["a", "b"], None)


def test_the_reason_of_a_broken_client_is_an_error() -> None:
    incoming = Both()
    incoming.feed(frame(TEXT, b"\xff"))
    with pytest.raises(TransportClosed) as caught:
        incoming.next()
    assert caught.value.reason is DisconnectReason.TRANSPORT_ERROR


# -- the same as the library's core alone ------------------------------------------------------


def by_the_core(data: bytes) -> list[tuple[int, bytes]]:
    """Messages as (opcode, payload), by nothing but the core."""
    core = Protocol(SERVER, state=State.OPEN, max_size=MAX_SIZE)
    core.receive_data(data)
    messages: list[tuple[int, bytes]] = []
    opcode, parts = 0, b""
    for event in core.events_received():
        assert isinstance(event, Frame)
        if event.opcode in (Opcode.PING, Opcode.PONG):
            continue
        if event.opcode is Opcode.CLOSE:
            break
        if event.opcode is not Opcode.CONT:
            opcode, parts = int(event.opcode), b""
        parts += bytes(event.data)
        if event.fin:
            messages.append((opcode, parts))
    return messages


@st.composite
def one_message(draw: st.DrawFn) -> bytes:
    opcode = draw(st.sampled_from([TEXT, BINARY]))
    payload = draw(st.text(max_size=200)).encode() * draw(st.sampled_from([1, 1, 1, 40]))
    cuts = sorted(draw(st.lists(st.integers(0, len(payload)), max_size=2)))
    parts = [payload[a:b] for a, b in zip([0, *cuts], [*cuts, len(payload)], strict=True)]
    frames = b""
    for index, part in enumerate(parts):
        if draw(st.booleans()):
            frames += frame(PING, b"p")
        kind = opcode if index == 0 else CONTINUATION
        frames += frame(kind, part, fin=index == len(parts) - 1)
    return frames


@st.composite
def streams(draw: st.DrawFn) -> tuple[bytes, list[bytes]]:
    """The bytes of some messages, perhaps with a flaw, and the same bytes in chunks."""
    data = b"".join(draw(st.lists(one_message(), max_size=6)))
    if data and draw(st.booleans()):
        at = draw(st.integers(0, len(data) - 1))
        data = data[:at] + bytes([draw(st.integers(0, 255))]) + data[at + 1 :]
    cuts = sorted(draw(st.lists(st.integers(0, len(data)), max_size=8)))
    return data, [data[a:b] for a, b in zip([0, *cuts], [*cuts, len(data)], strict=True)]


def payload_of(message: str | bytes) -> tuple[int, bytes]:
    return (TEXT, message.encode()) if isinstance(message, str) else (BINARY, message)


@given(streams())
def test_it_reads_what_the_core_reads(stream: tuple[bytes, list[bytes]]) -> None:
    data, chunks = stream
    messages, end = read(*[chunk for chunk in chunks if chunk])
    heard = [payload_of(message) for message in messages]
    expected: list[Any] = by_the_core(data)
    assert heard == expected[: len(heard)]
    if end != 1007:  # the core leaves it to us to look whether text is text
        assert heard == expected


def test_it_pauses_behind_a_few_frames() -> None:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    assert incoming.feed(frame(TEXT, b"x") * 1000) == b""
    taken = [0]
    while True:
        while incoming.next() is not None:
            taken[-1] += 1
        if not incoming.is_paused:
            break
        assert incoming.resume() == b""
        taken.append(0)
    assert sum(taken) == 1000
    assert taken[0] == FIRST_QUANTUM
    assert max(taken) == QUANTUM


def test_frames_of_the_library_count_as_well() -> None:
    incoming = FrameParser(MAX_SIZE, MAX_FRAGMENTS, unmask)
    ping = frame(PING, b"?")
    piece, pieces = incoming.feed(ping * (FIRST_QUANTUM + 1)), 0
    while piece:
        pieces += 1
        piece = incoming.go_on()
    assert (pieces, incoming.is_paused) == (FIRST_QUANTUM, True)
    assert incoming.resume() == ping
    assert (incoming.go_on(), incoming.is_paused) == (b"", False)
