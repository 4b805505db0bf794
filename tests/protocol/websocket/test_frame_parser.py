"""Frames to messages: those parsed here, those of the library's core, and both in one stream."""

from typing import Any

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import SERVER, Protocol, State

from tests.support.raw_websocket import BINARY, CLOSE, PING, PONG, TEXT, frame
from trio_sio.engine.websocket.backends.websockets import Core
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser, PartialFrame

CONTINUATION = 0
COMPRESSED = 0x40
MAX_SIZE = 70_000
MAX_FRAGMENTS = 4096
FIRST_QUANTUM = 2
QUANTUM = 8
LIMITS = FrameLimits(MAX_SIZE, MAX_FRAGMENTS, FIRST_QUANTUM, QUANTUM)


class Both:
    """Frames parsed by `FrameParser`, with the core of websockets for what it leaves."""

    def __init__(self, max_size: int = MAX_SIZE) -> None:
        self.parser = FrameParser(LIMITS._replace(max_size=max_size), unmask)
        self.answers: list[bytes] = []
        self.core = Core(self.parser, self.answers.append)
        self.next_message = self.parser.next_message

    def feed(self, data: bytes) -> None:
        piece = self.parser.feed(data)
        while piece or self.parser.is_paused:
            if piece:
                self.core.read(piece, self.parser.limits.too_big())
                piece = self.parser.go_on()
            else:
                piece = self.parser.resume()


def drain(parser: Both) -> tuple[list[str | bytes], int | str | None]:
    """The messages so far; then the code of the end, "closed" if it has none, or `None`."""
    messages: list[str | bytes] = []
    try:
        while (message := parser.next_message()) is not None:
            messages.append(message)
    except WebSocketClosed as end:
        return messages, end.code if isinstance(end, FrameError) else "closed"
    return messages, None


def read(*chunks: bytes, max_size: int = MAX_SIZE) -> tuple[list[str | bytes], int | str | None]:
    parser = Both(max_size)
    for chunk in chunks:
        parser.feed(chunk)
    return drain(parser)


@pytest.mark.parametrize(
    ("data", "messages"),
    [
        (frame(TEXT, b"4hello"), ["4hello"]),
        (frame(TEXT, "4é€😀".encode()), ["4é€😀"]),
        (frame(TEXT, b""), [""]),
        (frame(BINARY, b"\x04\x00\xff"), [b"\x04\x00\xff"]),
        (frame(BINARY, b"\x80"), [b"\x80"]),  # whose last byte is the first of a text frame
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
        (frame(CLOSE, b""), "closed"),
        (frame(CLOSE, (1001).to_bytes(2, "big") + b"bye"), "closed"),
        (frame(TEXT, b"a", fin=False) + frame(CLOSE, b""), "closed"),
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
    parser = Both()
    parser.feed(before + data)
    parser.feed(frame(TEXT, b"4late"))
    assert drain(parser) == (["4before"], end)
    assert drain(parser) == ([], end)


def test_the_limit_holds_for_small_frames_too() -> None:
    assert read(frame(TEXT, b"x" * 10), max_size=10) == (["x" * 10], None)
    assert read(frame(TEXT, b"x" * 11), max_size=10) == ([], 1009)
    halves = frame(TEXT, b"x" * 6, fin=False) + frame(CONTINUATION, b"x" * 5)
    assert read(halves, max_size=10) == ([], 1009)
    assert read(halves, max_size=11) == (["x" * 11], None)


@pytest.mark.parametrize(("size", "come"), [(126, 132), (65_536, 133)])
def test_the_beginning_of_a_long_frame_is_no_short_frame(size: int, come: int) -> None:
    """It is as long as the frame would be if its length were 126 or 127."""
    data = frame(TEXT, b"x" * size)
    assert read(data[:come], data[come:]) == (["x" * size], None)


@pytest.mark.parametrize("size", [0, 1, 5, 124, 125])
def test_a_short_frame_that_is_cut_anywhere(size: int) -> None:
    data = frame(TEXT, b"x" * size)
    for cut in range(1, len(data)):
        assert read(data[:cut]) == ([], None)
        assert read(data[:cut], data[cut:]) == (["x" * size], None)


@pytest.mark.parametrize("power", range(17, 64))
def test_each_bit_of_a_length_counts(power: int) -> None:
    """A length of eight bytes may be up to 2**63."""
    head = b"\x82\xff" + (2**power + 1).to_bytes(8, "big") + b"mask"
    assert read(head) == ([], 1009)


def test_the_beginning_of_a_short_frame_is_not_all_of_it() -> None:
    """Even if its opcode, or the first byte of its mask, is what its length would be."""
    head, payload = b"\x81\x89" + b"\x81\x00\x00\x00", b"\xe0bcd\xe4fgh\xe8"
    assert read(head + payload[:1], payload[1:]) == (["abcdefghi"], None)


def test_a_frame_without_mask_and_payload_is_refused_too() -> None:
    assert read(frame(TEXT, b"", mask=False) + frame(TEXT, b"x")) == ([], 1002)


INNER = b"\x81\x80mask"
"""A whole text frame without payload."""


def test_what_looks_like_a_frame_inside_another_is_none() -> None:
    """Not in a payload, ours or the library's, nor in a header, of which it is length and mask."""
    assert read(b"\x82\x86" + bytes(4), INNER) == ([INNER], None)
    assert read(b"\x89\x86" + bytes(4), INNER, frame(TEXT, b"a")) == (["a"], None)
    assert read(b"\x82", b"\x81\x80\x00\x00\x00k") == ([bytes((0x80 ^ ord("k"),))], None)


@pytest.mark.parametrize("compressed", [0, COMPRESSED])
def test_a_head_that_announces_too_much_is_enough(compressed: int) -> None:
    """The library is not asked, whatever it would do: not even about what it has begun."""
    parser = FrameParser(LIMITS, unmask)
    first = frame(TEXT, b"x" * 60_000, fin=False, rsv=compressed)
    assert parser.feed(first) == (first if compressed else b"")
    assert parser.go_on() == b""
    head = bytes((CONTINUATION, 0xFE)) + (MAX_SIZE - 59_999).to_bytes(2, "big") + b"mask"
    assert parser.feed(head) == b""
    with pytest.raises(FrameError, match="more than 70000 bytes") as caught:
        parser.next_message()
    assert caught.value.code == 1009
    assert (caught.value.option, caught.value.limit) == ("max_http_buffer_size", MAX_SIZE)


def test_it_says_which_piece_completes_a_message() -> None:
    parser = FrameParser(LIMITS, unmask)
    first, ping, last = (
        frame(TEXT, b"a", fin=False, rsv=COMPRESSED),
        frame(PING, b""),
        frame(CONTINUATION, b"b" * 10),
    )
    assert parser.feed(first + ping + last[:9]) == first
    assert not parser.completes
    assert (parser.go_on(), parser.completes) == (ping, False)
    assert parser.go_on() == b""
    assert (parser.resume(), parser.completes) == (last[:9], False)
    assert parser.go_on() == b""
    assert (parser.feed(last[9:] + frame(TEXT, b"c")), parser.completes) == (last[9:], True)
    assert parser.go_on() == b""
    assert parser.next_message() == "c"


def test_large_frames_and_fragments_are_no_business_of_the_library() -> None:
    """It would keep them until its garbage is collected."""
    parser = FrameParser(LIMITS, unmask)
    large, ping = frame(BINARY, b"12345" * 2000), frame(PING, b"")
    for start in range(0, len(large), 999):
        assert parser.is_idle == (start == 0)
        assert parser.feed(large[start : start + 999]) == b""
    assert parser.next_message() == b"12345" * 2000
    assert parser.is_idle
    assert parser.feed(frame(TEXT, b"a", fin=False) + ping) == ping
    assert parser.go_on() == b""
    assert not parser.is_idle
    assert parser.feed(frame(CONTINUATION, b"b")) == b""
    assert not parser.is_idle
    assert parser.next_message() == "ab"
    assert parser.is_idle


@pytest.mark.parametrize(
    ("data", "is_idle"),
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
def test_whether_all_has_been_read(data: bytes, is_idle: bool) -> None:
    parser = FrameParser(LIMITS, unmask)
    piece = parser.feed(data)
    while piece:
        piece = parser.go_on()
    assert parser.is_idle == is_idle


def test_what_has_been_read_can_be_forgotten() -> None:
    parser = FrameParser(LIMITS, unmask)
    for data in (frame(TEXT, b"x"), frame(BINARY, b"x", fin=False), frame(CONTINUATION, b"x")[:-1]):
        parser.feed(data)
    parser.clear()
    assert parser.next_message() is None


def test_pings_are_answered_by_the_core() -> None:
    parser = Both()
    parser.feed(frame(TEXT, b"a") + frame(PING, b"one")[:4])
    assert parser.answers == []
    parser.feed(frame(PING, b"one")[4:] + frame(TEXT, b"b"))
    assert parser.answers == [b"\x8a\x03one"]
    assert drain(parser) == (["a", "b"], None)


def test_a_broken_client_is_told_so_and_one_that_closes_is_not() -> None:
    broken, closing = Both(), Both()
    broken.feed(frame(TEXT, b"\xff"))
    with pytest.raises(FrameError, match="UTF-8") as caught:
        broken.next_message()
    assert (caught.value.code, caught.value.option) == (1007, "")
    closing.feed(frame(CLOSE, b""))
    with pytest.raises(WebSocketClosed) as closed:
        closing.next_message()
    assert not isinstance(closed.value, FrameError)


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8), st.binary(max_size=9))
def test_the_mask_goes_on_where_it_was(payload: bytes, cuts: list[int], behind: bytes) -> None:
    mask = b"\x01\x80\x0f\xff"
    data = b"head" + unmask(payload, mask) + behind
    partial = PartialFrame(0x82, mask, len(payload), unmask)
    position = 4
    for end in sorted({min(cut + 4, len(data)) for cut in cuts} | {len(data)}):
        position = partial.take(data[:end], position)
        assert partial.missing == len(payload) - len(partial.payload)
    assert partial.payload == payload
    assert partial.missing == 0
    assert data[position:] == behind
    assert partial.first == 0x82


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
    parser = FrameParser(LIMITS, unmask)
    assert parser.feed(frame(TEXT, b"x") * 1000) == b""
    taken = [0]
    while True:
        while parser.next_message() is not None:
            taken[-1] += 1
        if not parser.is_paused:
            break
        assert parser.resume() == b""
        taken.append(0)
    assert sum(taken) == 1000
    assert taken[0] == FIRST_QUANTUM
    assert max(taken) == QUANTUM


def test_frames_of_the_library_count_as_well() -> None:
    parser = FrameParser(LIMITS, unmask)
    ping = frame(PING, b"?")
    piece, pieces = parser.feed(ping * (FIRST_QUANTUM + 1)), 0
    while piece:
        pieces += 1
        piece = parser.go_on()
    assert (pieces, parser.is_paused) == (FIRST_QUANTUM, True)
    assert parser.resume() == ping
    assert (parser.go_on(), parser.is_paused) == (b"", False)
