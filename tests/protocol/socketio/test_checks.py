"""Both parsers check packets by the same rules, and raise the same errors."""

import json
import math

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from trio_sio.protocol.errors import LocalProtocolError, RemoteProtocolError
from trio_sio.protocol.socketio import codec_msgpack
from trio_sio.protocol.socketio.checks import (
    MAX_ID,
    check_id,
    check_namespace,
    excerpt,
    is_event,
    refuse_payload,
)
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.notepack import pack
from trio_sio.protocol.socketio.packet import JSON, Packet, PacketType
from trio_sio.testing import strategies as sio

DEEP: JSON = []
for _ in range(200):
    DEEP = [DEEP]

VALUES: st.SearchStrategy[JSON] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**64 - 1),
    st.floats(),
    st.text(max_size=5),
    st.binary(max_size=5),
    st.sampled_from([DEEP, [DEEP], {"a": b"b"}, [b"name"], [["name"]], [{}], [None], "/", "/a,b"]),
    st.lists(st.one_of(st.text(max_size=3), st.integers(0, 9), st.binary(max_size=2)), max_size=3),
)
MAPS = st.fixed_dictionaries(
    {},
    optional={
        "type": st.one_of(st.integers(-1, 8), VALUES),
        "nsp": st.one_of(st.sampled_from(["/", "/chat", "/chat?a=1,2"]), VALUES),
        "data": VALUES,
        "id": st.one_of(st.integers(0, 9), VALUES),
    },
)
EVENTS = (PacketType.EVENT, PacketType.BINARY_EVENT)


def by_json(packet: Packet) -> Packet | None:
    """Send a packet through the default parser."""
    decoder = Decoder(max_attachments=100)
    messages = Encoder(max_attachments=100).encode(packet)
    whole = [decoder.feed(message) for message in messages]
    return whole[-1]


@given(MAPS)
def test_any_map_is_a_valid_packet_or_refused(fields: dict[str, JSON]) -> None:
    try:
        packet = codec_msgpack.Decoder().feed(pack(fields))
    except RemoteProtocolError:
        return
    assert packet is not None
    assert packet.namespace.startswith("/")
    assert packet.id is None or (type(packet.id) is int and 0 <= packet.id <= MAX_ID)
    if packet.type in EVENTS:
        assert isinstance(packet.data, list)
        assert isinstance(packet.data[0], (str, int, float))
        assert type(packet.event) is str
    if packet.type not in (PacketType.CONNECT, PacketType.DISCONNECT, PacketType.ERROR):
        assert isinstance(packet.args, list)


@given(MAPS)
def test_what_messagepack_lets_in_the_default_parser_lets_in(fields: dict[str, JSON]) -> None:
    try:
        packet = codec_msgpack.Decoder().feed(pack(fields))
        assert packet is not None
        again = by_json(packet)
    except (RemoteProtocolError, LocalProtocolError):  # NaN as an argument, say
        return
    assert again is not None
    assert (again.namespace, again.id) == (packet.namespace, packet.id)
    assert again.event == packet.event or packet.type not in EVENTS


@given(sio.socketio_packets())
def test_what_the_default_parser_lets_in_messagepack_lets_in(packet: Packet) -> None:
    if packet.type is PacketType.DISCONNECT or not isinstance(packet.data, list):
        return
    try:
        (message,) = codec_msgpack.Encoder().encode(packet)
    except LocalProtocolError:  # an integer of more than 64 bits as an argument
        return
    again = codec_msgpack.Decoder().feed(message)
    assert again is not None
    assert (again.namespace, again.id) == (packet.namespace, packet.id)


@pytest.mark.parametrize(
    "name", [None, True, [], {}, [["name"]], {"a": 1}, [None], pytest.param(DEEP, id="deep")]
)
def test_both_parsers_refuse_a_malformed_event_in_the_same_words(name: JSON) -> None:
    with pytest.raises(RemoteProtocolError) as by_default:
        Decoder().feed("2" + json.dumps([name]))
    with pytest.raises(RemoteProtocolError) as by_messagepack:
        codec_msgpack.Decoder().feed(pack({"type": 2, "nsp": "/", "data": [name]}))
    assert str(by_default.value) == str(by_messagepack.value)


@pytest.mark.parametrize("data", [[b"bytes"], [math.nan, 1], [math.inf], [False], [], None, "text"])
def test_malformed_events(data: JSON) -> None:
    assert not is_event(data)


@pytest.mark.parametrize("data", [["name"], [""], [7, "argument"], [1.5], ["name", [b"bytes"]]])
def test_events(data: JSON) -> None:
    assert is_event(data)


@pytest.mark.parametrize("number", [-1, -1.0, 0.5, True, None, "1", [], MAX_ID + 1, 1e300, b"1"])
def test_malformed_ids(number: object) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid packet id"):
        check_id(number)


def test_ids() -> None:
    assert [check_id(number) for number in (0, 7, 7.0, MAX_ID)] == [0, 7, 7, MAX_ID]


def test_an_id_has_19_digits_at_most() -> None:
    """Both parsers have the same limit, and no more than 64 bits are needed."""
    largest = int("9" * 19)
    assert check_id(largest) == largest < 2**64
    assert Decoder().feed(f'2{largest}["x"]') == Packet(PacketType.EVENT, "/", ["x"], largest)
    with pytest.raises(RemoteProtocolError, match="invalid packet id"):
        check_id(largest + 1)
    with pytest.raises(RemoteProtocolError, match="an id of over 19 digits"):
        Decoder().feed(f'2{largest + 1}["x"]')


@pytest.mark.parametrize("name", [None, 1, b"/", ["/"], "", "chat", "/a,b", "/a,b?c=d"])
def test_malformed_namespaces(name: object) -> None:
    with pytest.raises(RemoteProtocolError, match="invalid namespace"):
        check_namespace(name)


@pytest.mark.parametrize("name", ["/", "/chat", "/chat?a=1,2", "/chat?a=/b"])
def test_namespaces(name: str) -> None:
    assert check_namespace(name) == name


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (None, "None"),
        (True, "True"),
        (-1.5, "-1.5"),
        (1234567890, "1234567890"),
        (9999999999, "9999999999"),
        (-9999999999, "-9999999999"),
        (10**10, "a int"),
        ("token", "a str"),
        (b"token", "a bytes"),
        ({"token": 1}, "a dict"),
        ([], "a list"),
        ([1, "token"], "a list that begins with 1"),
        (["token"], "a list that begins with a str"),
        ([1, []], "a list that begins with 1"),
        ([[], 1], "a list that begins with a list"),
        (DEEP, "a list that begins with a list"),
    ],
)
def test_an_excerpt_is_short_and_tells_no_strings(data: object, text: str) -> None:
    assert excerpt(data) == text


def test_an_excerpt_of_a_number_that_has_no_words() -> None:
    assert excerpt(10**5000) == "a int"


IDS = st.integers(-2, 3) | st.sampled_from([MAX_ID, MAX_ID + 1]) | st.floats() | st.none()


@given(IDS | st.booleans() | st.integers(0, MAX_ID).map(float) | st.text(max_size=2))
@example(2.0)
@example(2.5)
def test_an_id_is_a_whole_number_of_19_digits(number: object) -> None:
    found = attempt(RemoteProtocolError, check_id, number)
    is_whole = isinstance(number, (int, float)) and number == number // 1
    if is_whole and not isinstance(number, bool) and 0 <= number <= MAX_ID:  # type: ignore[operator]
        assert found == number
        assert isinstance(found, int)
    else:
        assert isinstance(found, RemoteProtocolError)
        assert str(found).startswith("invalid packet id: ")


@given(st.text("/,?a", max_size=6) | VALUES)
def test_a_namespace_begins_with_a_slash_and_has_no_comma(name: object) -> None:
    found = attempt(RemoteProtocolError, check_namespace, name)
    if isinstance(name, str) and name[:1] == "/" and "," not in name.split("?")[0]:
        assert found == name
    else:
        assert isinstance(found, RemoteProtocolError)
        assert str(found).startswith("invalid namespace: ")
        assert ("',' " in str(found) or str(found).endswith("','")) == isinstance(name, str)


@given(VALUES)
@example([True])
@example([math.nan])
@example([[1]])
def test_excerpts_are_short_and_show_no_text(value: JSON) -> None:
    text = excerpt(value)
    assert len(text) <= 50
    if isinstance(value, str):
        assert text == "a str"
    elif isinstance(value, (dict, bytes)):
        assert text == f"a {type(value).__name__}"
    elif isinstance(value, list):
        first = excerpt(value[0]) if value and not isinstance(value[0], list) else "a list"
        assert text == (f"a list that begins with {first}" if value else "a list")
    elif isinstance(value, int) and not isinstance(value, bool):
        assert text == (repr(value) if abs(value) < 10**10 else "a int")
    else:
        assert text == repr(value)
    is_name = isinstance(value, list) and bool(value) and not isinstance(value[0], bool)
    is_finite = is_name and isinstance(value[0], (int, float)) and math.isfinite(value[0])  # type: ignore[index]
    assert is_event(value) == (is_name and (isinstance(value[0], str) or is_finite))  # type: ignore[index]


@given(st.sampled_from(PacketType), VALUES)
def test_a_refusal_names_type_and_data(kind: PacketType, data: JSON) -> None:
    error = refuse_payload(kind, data)
    assert str(error) == f"invalid payload: {kind.name} with {excerpt(data)}"
