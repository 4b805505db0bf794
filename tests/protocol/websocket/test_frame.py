"""A server's frames, read by two parsers of other people, at every length that changes the form."""

import pytest
from hypothesis import given, strategies as st
from websockets.frames import Frame, Opcode
from websockets.protocol import Protocol, Side, State
from wsproto.connection import Connection, ConnectionType
from wsproto.events import BytesMessage, CloseConnection, TextMessage

from trio_sio.protocol.websocket.frame import (
    BINARY,
    CLOSE,
    EMPTY_CLOSE,
    TEXT,
    frame,
    payloads,
    unmask,
)
from trio_sio.testing import strategies as sio

LENGTHS = (0, 1, 124, 125, 126, 127, 128, 65534, 65535, 65536, 65537)
HEADERS = {
    0: "8100",
    125: "817d",
    126: "817e007e",
    65535: "817effff",
    65536: "817f0000000000010000",
}


@pytest.mark.parametrize(("length", "header"), HEADERS.items())
def test_header(length: int, header: str) -> None:
    made = frame(TEXT, b"x" * length)
    assert made[: len(made) - length].hex() == header


@given(
    st.lists(
        st.tuples(
            st.sampled_from([TEXT, BINARY]),
            st.one_of(st.binary(max_size=10), st.sampled_from(LENGTHS).map(bytes)),
        )
    )
)
def test_what_was_framed_can_be_had_again(made: list[tuple[int, bytes]]) -> None:
    frames = b"".join([frame(opcode, payload) for opcode, payload in made])
    assert [(opcode, bytes(payload)) for opcode, payload in payloads(frames)] == made


@given(st.binary(max_size=50), st.binary(min_size=4, max_size=4))
def test_a_mask_is_repeated_over_the_payload(payload: bytes, key: bytes) -> None:
    masked = bytes(byte ^ key[index % 4] for index, byte in enumerate(payload))
    assert unmask(masked, key) == payload


def test_opcodes() -> None:
    assert (TEXT, BINARY, CLOSE) == (Opcode.TEXT, Opcode.BINARY, Opcode.CLOSE)


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("length", LENGTHS)
def test_websockets_reads_it(opcode: int, length: int) -> None:
    payload = bytes(index % 128 for index in range(length))
    assert websockets_reads([frame(opcode, payload)]) == [(opcode, payload)]


@pytest.mark.parametrize("opcode", [TEXT, BINARY])
@pytest.mark.parametrize("length", LENGTHS)
def test_wsproto_reads_it(opcode: int, length: int) -> None:
    payload = bytes(index % 128 for index in range(length))
    assert wsproto_reads([frame(opcode, payload)]) == [(opcode, payload)]


FRAMES = st.lists(
    st.one_of(
        st.tuples(st.just(TEXT), st.text(max_size=200).map(str.encode)),
        st.tuples(st.just(BINARY), st.binary(max_size=200)),
    ),
    min_size=1,
    max_size=4,
)


@given(data=st.data(), frames=FRAMES)
def test_frames_arrive_in_pieces(data: st.DataObject, frames: list[tuple[int, bytes]]) -> None:
    stream = b"".join(frame(opcode, payload) for opcode, payload in frames)
    pieces = data.draw(sio.chunks(stream))
    assert websockets_reads(pieces) == frames
    assert wsproto_reads(pieces) == frames


def test_close_has_no_status() -> None:
    assert EMPTY_CLOSE.hex() == "8800"
    assert websockets_reads([EMPTY_CLOSE]) == [(CLOSE, b"")]
    connection = Connection(ConnectionType.CLIENT)
    connection.receive_data(EMPTY_CLOSE)
    (event,) = connection.events()
    assert isinstance(event, CloseConnection)
    assert event.code == 1005  # "no status code was present", RFC 6455, section 7.4.1


def websockets_reads(pieces: list[bytes]) -> list[tuple[int, bytes]]:
    """What a client with the library `websockets` gets; it checks that nothing is masked."""
    client = Protocol(Side.CLIENT, state=State.OPEN, max_size=None)
    for piece in pieces:
        client.receive_data(piece)
    assert client.parser_exc is None
    events = client.events_received()
    return [(int(e.opcode), bytes(e.data)) for e in events if isinstance(e, Frame)]


def wsproto_reads(pieces: list[bytes]) -> list[tuple[int, bytes]]:
    """What a client with wsproto gets, which gives out pieces of messages as they come."""
    client = Connection(ConnectionType.CLIENT)
    messages: list[tuple[int, bytes]] = []
    opcode, payload = 0, b""
    for piece in pieces:
        client.receive_data(piece)
        for event in client.events():
            assert isinstance(event, TextMessage | BytesMessage)
            if isinstance(event, TextMessage):
                opcode, data = TEXT, event.data.encode()
            else:
                opcode, data = BINARY, bytes(event.data)
            payload += data
            if event.message_finished:
                messages.append((opcode, payload))
                payload = b""
    return messages
