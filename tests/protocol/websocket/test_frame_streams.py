"""Streams of any frames: what is parsed here, what the library gets, and when it ends."""

from typing import NamedTuple

from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from tests.support.raw_websocket import BINARY, CLOSE, PING, TEXT, frame
from trio_sio.protocol.websocket.errors import FrameError, WebSocketClosed
from trio_sio.protocol.websocket.frame import unmask
from trio_sio.protocol.websocket.frame_parser import FrameLimits, FrameParser
from trio_sio.testing import strategies as sio

CONTINUATION, COMPRESSED = 0, 0x40
LIMITS = FrameLimits(max_size=300, max_fragments=3, first_quantum=1, quantum=2)


class Sent(NamedTuple):
    """One frame of a client."""

    opcode: int
    size: int
    fin: bool = True
    rsv: int = 0
    mask: bool = True
    text: str = "x"

    @property
    def payload(self) -> bytes:
        return (self.text.encode() * self.size)[: self.size]

    @property
    def wire(self) -> bytes:
        return frame(self.opcode, self.payload, fin=self.fin, mask=self.mask, rsv=self.rsv)


class Model:
    """What frames mean, whole ones, in their order.

    Attributes:
        messages: those that the parser makes itself.
        passed: the bytes of what it leaves to the library.
        end: the code with which it ends.
    """

    def __init__(self) -> None:
        self.messages: list[str | bytes] = []
        self.passed = b""
        self.end: int | None = None
        self._fragments: list[bytes] | None = None
        self._size = self._count = 0
        self._is_text = False

    @property
    def is_idle(self) -> bool:
        return self._count == 0

    def take(self, sent: Sent) -> None:
        begins = sent.opcode in (TEXT, BINARY)
        goes_on = sent.opcode == CONTINUATION and self._fragments is not None
        may_begin = begins and (not self._count or self._fragments is not None)
        is_ours = sent.mask and not sent.rsv and (goes_on or may_begin)
        if sent.opcode < CLOSE:
            self._count_in(sent)
        if self.end is None and is_ours:
            self._collect(sent)
        elif self.end is None:
            self.passed += sent.wire

    def _count_in(self, sent: Sent) -> None:
        if sent.opcode != CONTINUATION and self._fragments is not None:
            self.end = 1002
            return
        is_first = sent.opcode != CONTINUATION
        self._count = 1 if is_first else self._count + 1
        self._size = sent.size if is_first else self._size + sent.size
        if self._size > LIMITS.max_size or self._count > LIMITS.max_fragments:
            self.end = 1009
        elif sent.fin:
            self._count = self._size = 0

    def _collect(self, sent: Sent) -> None:
        if sent.opcode != CONTINUATION:
            self._fragments, self._is_text = [], sent.opcode == TEXT
        assert self._fragments is not None
        self._fragments.append(sent.payload)
        if sent.fin:
            data, self._fragments = b"".join(self._fragments), None
            if not self._is_text:
                self.messages.append(data)
            elif data.decode(errors="ignore").encode() == data:
                self.messages.append(data.decode())
            else:
                self.end = 1007


FRAMES = st.builds(
    Sent,
    st.sampled_from([TEXT, TEXT, BINARY, CONTINUATION, CONTINUATION, PING, 3]),
    st.integers(0, 9) | st.sampled_from([100, 125, 126, 127, 299, 300, 301]),
    st.booleans(),
    st.sampled_from([0, 0, 0, COMPRESSED]),
    st.sampled_from([True, True, True, False]),
    st.sampled_from(["x", "x", "€"]),
)
STREAMS = st.lists(FRAMES, max_size=8).flatmap(
    lambda sent: st.tuples(st.just(sent), sio.chunks(b"".join(one.wire for one in sent)))
)
PART, MORE = Sent(TEXT, 2, fin=False), Sent(CONTINUATION, 2, fin=False)


def whole(*sent: Sent) -> tuple[list[Sent], list[bytes]]:
    """Return a stream that comes at once."""
    return [*sent], [b"".join(one.wire for one in sent)]


def bytewise(*sent: Sent) -> tuple[list[Sent], list[bytes]]:
    """Return a stream of which each byte comes alone."""
    return [*sent], [bytes((byte,)) for one in sent for byte in one.wire]


@examples(400)
@given(STREAMS)
@example(whole(PART, MORE, MORE, MORE))
@example(whole(PART, MORE, Sent(CONTINUATION, 2)))
@example(whole(PART, Sent(PING, 1), Sent(BINARY, 1)))
@example(whole(Sent(TEXT, 300, fin=False), Sent(CONTINUATION, 1)))
@example(whole(Sent(TEXT, 2, text="€")))
@example(whole(Sent(BINARY, 301)))
@example(whole(Sent(BINARY, 65_536)))
@example(whole(Sent(TEXT, 2, fin=False, rsv=COMPRESSED), MORE, Sent(TEXT, 1)))
@example(whole(Sent(TEXT, 2, mask=False), Sent(TEXT, 3)))
@example(whole(Sent(PING, 0, mask=False)))
@example(whole(Sent(CONTINUATION, 301)))
@example(whole(Sent(TEXT, 299, fin=False), Sent(CONTINUATION, 1)))
@example(whole(Sent(BINARY, 126), Sent(CONTINUATION, 300)))  # which continues nothing
@example(bytewise(Sent(BINARY, 126), Sent(CONTINUATION, 300)))
def test_frames_mean_the_same_in_any_pieces(stream: tuple[list[Sent], list[bytes]]) -> None:
    model, parser, passed = Model(), FrameParser(LIMITS, unmask), b""
    sent, chunks = stream
    for one in sent:
        if model.end is None:
            model.take(one)
    messages: list[str | bytes] = []
    for chunk in chunks:
        piece = parser.feed(chunk)
        while piece or parser.is_paused:
            assert not (piece and parser.is_paused)
            passed += piece
            piece = parser.go_on() if piece else parser.resume()
        while parser.has_message:
            messages.append(parser.next_message() or "")
    end = attempt(WebSocketClosed, parser.next_message)
    assert messages == [message or "" for message in model.messages]
    assert passed[: len(model.passed)] == model.passed
    if model.end is None:
        assert end is None
        assert passed == model.passed
        assert parser.is_idle == model.is_idle
    else:
        assert isinstance(end, FrameError)
        assert end.code == model.end
        limits = {"max_http_buffer_size": LIMITS.max_size, "max_fragments": LIMITS.max_fragments}
        assert end.limit == limits.get(end.option)
        assert (end.option != "") == (model.end == 1009)


@given(STREAMS)
def test_nothing_is_left_of_what_is_cleared(stream: tuple[list[Sent], list[bytes]]) -> None:
    parser = FrameParser(LIMITS, unmask)
    parser.feed(b"".join(stream[1][:2]))
    first, second = WebSocketClosed(), WebSocketClosed()
    was = parser.end
    parser.clear()
    assert not parser.has_message
    assert parser.end is was
    parser.end_with(first)
    parser.end_with(second)
    assert parser.end is (was or first)


@given(st.sampled_from([0, 1, 125, 126, 300]), st.booleans(), st.booleans(), st.data())
def test_a_piece_says_whether_it_completes_a_message(
    size: int, is_last: bool, is_control: bool, data: st.DataObject
) -> None:
    parser = FrameParser(LIMITS, unmask)
    rsv = 0 if is_control else COMPRESSED
    wire = Sent(PING if is_control else TEXT, size, fin=is_last, rsv=rsv).wire
    assert not parser.completes  # nothing has been passed
    got = b""
    for chunk in data.draw(sio.chunks(wire)):
        piece = parser.feed(chunk)
        while piece or parser.is_paused:
            got += piece
            assert not piece or parser.completes == (got == wire and is_last and not is_control)
            piece = parser.go_on() if piece else parser.resume()
    assert got == wire
    assert parser.is_idle == (is_last or is_control)


@given(st.binary(max_size=9))
def test_what_the_library_made_comes_in_its_turn(data: bytes) -> None:
    parser = FrameParser(LIMITS, unmask)
    parser.add(data)
    parser.add_text("é".encode())
    assert parser.has_message
    assert [parser.next_message(), parser.next_message(), parser.next_message()] == [
        data,
        "é",
        None,
    ]
