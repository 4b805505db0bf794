"""What a request asks for, and the words it is answered with; protocol reference, 1.2 to 1.9."""

import json
from dataclasses import FrozenInstanceError, replace
from urllib.parse import parse_qs

import pytest
from hypothesis import example, given, strategies as st

from tests.support.attempt import attempt
from tests.support.examples import examples
from trio_sio.protocol.engineio.handshake import (
    MAX_QUERY_FIELDS,
    ErrorCode,
    HandshakeRequest,
    OpenPacket,
    Query,
    error_body,
    parse_query,
)
from trio_sio.protocol.engineio.packet import EnginePacketType, decode_text
from trio_sio.protocol.errors import RemoteProtocolError

ERRORS = [
    (0, "Transport unknown", 400),
    (1, "Session ID unknown", 400),
    (2, "Bad handshake method", 400),
    (3, "Bad request", 400),
    (4, "Forbidden", 403),
    (5, "Unsupported protocol version", 400),
]


@pytest.mark.parametrize(("number", "message", "status"), ERRORS)
def test_error_code(number: int, message: str, status: int) -> None:
    code = ErrorCode(number)
    assert code.message == message
    assert code.status == status
    body = error_body(code, code.message)
    assert body == f'{{"code":{number},"message":"{message}"}}'.encode()


def test_there_are_no_other_codes() -> None:
    assert [int(code) for code in ErrorCode] == [number for number, _, _ in ERRORS]


@pytest.mark.parametrize(
    ("message", "body"),
    [
        ("origin not allowed", b'{"code":4,"message":"origin not allowed"}'),
        ('"\\', rb'{"code":4,"message":"\"\\"}'),
        ("non merci à toi 😀", '{"code":4,"message":"non merci à toi 😀"}'.encode()),
        ("\ud800", rb'{"code":4,"message":"\ud800"}'),
        ("", b'{"code":4,"message":""}'),
    ],
)
def test_error_body(message: str, body: bytes) -> None:
    assert error_body(4, message) == body
    assert json.loads(body) == {"code": 4, "message": message}
    detail = error_body(4, message, 'a "sentence"')
    assert json.loads(detail) == {"code": 4, "message": message, "detail": 'a "sentence"'}
    assert detail.startswith(body[:-1])


@pytest.mark.parametrize(
    ("version", "protocol"),
    [
        *(("3", 3), ("", 3), ("4", 4)),
        *((one, 0) for one in ("2", "5", "x", "-4", "3.5", "04", "9" * 5000, "\u0664", " 4")),
    ],
)
def test_protocols(version: str, protocol: int) -> None:
    assert replace(POLLING, version=version).protocol == protocol


QUERIES: list[tuple[str, Query]] = [
    ("", {}),
    ("EIO=3&transport=polling", {"EIO": "3", "transport": "polling"}),
    ("a=1&a=2&b=3&a=", {"a": ["1", "2", ""], "b": "3"}),
    ("a", {"a": ""}),
    ("a=", {"a": ""}),
    ("a=b=c", {"a": "b=c"}),
    ("&&a=1&", {"a": "1"}),
    ("a+b=c+d", {"a b": "c d"}),
    ("a%20b=%2C%26", {"a b": ",&"}),
    ("tok=a%20b&EIO=3", {"tok": "a b", "EIO": "3"}),
    ("x=%E2%82%AC", {"x": "€"}),
    ("x=%ff", {"x": "\ufffd"}),
    ("x=%zz%", {"x": "%zz%"}),
    ("a=1;b=2", {"a": "1;b=2"}),
    ("__proto__=1&constructor=2", {"__proto__": "1", "constructor": "2"}),
]


@pytest.mark.parametrize(("raw", "query"), QUERIES)
def test_query(raw: str, query: Query) -> None:
    assert parse_query(raw) == query


def test_number_of_fields() -> None:
    assert MAX_QUERY_FIELDS == 1000  # those behind them Node.js's parser leaves out
    assert parse_query("&".join(["a=1"] * MAX_QUERY_FIELDS)) == {"a": ["1"] * MAX_QUERY_FIELDS}
    with pytest.raises(RemoteProtocolError) as error:
        parse_query("a=1&" * MAX_QUERY_FIELDS)
    assert error.value.args == ("Bad request",)
    assert str(MAX_QUERY_FIELDS) in error.value.hint


POLLING = HandshakeRequest("polling", "", base64=False, jsonp=None)
NOTHING = replace(POLLING, transport="")
REQUESTS = [
    ("EIO=3&transport=polling&t=Q86akaL", replace(POLLING, version="3")),
    ("EIO=4&transport=polling", replace(POLLING, version="4")),
    ("EIO=3&EIO=4&transport=polling", replace(POLLING, repeated="EIO")),
    ("transport=polling", POLLING),
    ("transport=websocket", HandshakeRequest("websocket", "", base64=False, jsonp=None)),
    ("transport=x%20y", HandshakeRequest("x y", "", base64=False, jsonp=None)),
    # None, or several.
    ("", HandshakeRequest("", "", base64=False, jsonp=None)),
    ("transport=", HandshakeRequest("", "", base64=False, jsonp=None)),
    ("transport=polling&transport=polling", replace(NOTHING, repeated="transport")),
    # An empty `sid` asks for a handshake.
    ("transport=polling&sid=abc", HandshakeRequest("polling", "abc", base64=False, jsonp=None)),
    ("transport=polling&sid=", POLLING),
    ("transport=polling&sid=a&sid=b", replace(POLLING, repeated="sid")),
    ("sid=a&sid=a&transport=a&transport=b", replace(NOTHING, repeated="transport")),
    # Any value of `b64` but the empty one.
    ("transport=polling&b64=1", HandshakeRequest("polling", "", base64=True, jsonp=None)),
    ("transport=polling&b64=0", HandshakeRequest("polling", "", base64=True, jsonp=None)),
    ("transport=polling&b64=&b64=", replace(POLLING, repeated="b64")),
    ("transport=polling&b64=", POLLING),
    ("transport=polling&b64", POLLING),
    # `j` is JSONP if it comes once; its digits are kept.
    ("transport=polling&j=12", HandshakeRequest("polling", "", base64=False, jsonp="12")),
    ("transport=polling&j=abc12x", HandshakeRequest("polling", "", base64=False, jsonp="12")),
    ("transport=polling&j=", HandshakeRequest("polling", "", base64=False, jsonp="")),
    ("transport=polling&j=1%5D%3Balert(1)", HandshakeRequest("polling", "", False, "11")),
    ("transport=polling&j=%D9%A1", HandshakeRequest("polling", "", False, "")),  # an Arabic 1
    ("transport=polling&j=1&j=2", replace(POLLING, repeated="j")),
    # What is not the engine's may come as often as it likes.
    ("transport=polling&t=1&t=2&token=a&token=b", POLLING),
]


@pytest.mark.parametrize(("raw", "request_"), REQUESTS)
def test_request(raw: str, request_: HandshakeRequest) -> None:
    assert HandshakeRequest.from_query(parse_query(raw)) == request_


@given(raw=st.text(st.sampled_from("abj=&+%20sidtransport64;\x00\u20ac\ud800")))
def test_any_query_asks_for_something(raw: str) -> None:
    ask = HandshakeRequest.from_query(parse_query(raw))
    assert ask.jsonp is None or not set(ask.jsonp) - set("0123456789")


def test_a_misspelled_attribute_is_an_error() -> None:
    with pytest.raises(AttributeError):
        replace(POLLING).transprot = "websocket"  # type: ignore[attr-defined]


def test_an_open_packet_stays_as_it_is() -> None:
    with pytest.raises(FrozenInstanceError):
        OpenPacket("a", (), 25, 20).sid = "b"  # type: ignore[misc]


def test_open_packet() -> None:
    opened = OpenPacket("KhTnzAoHw4rIj17PAAAA", ("websocket",), 25, 20)
    assert opened.encode() == (
        '0{"sid":"KhTnzAoHw4rIj17PAAAA","upgrades":["websocket"],'
        '"pingInterval":25000,"pingTimeout":20000}'
    )


@given(
    sid=st.text(st.characters()),
    upgrades=st.lists(st.just("websocket"), max_size=1),
    interval=st.integers(1, 10**6),
)
def test_open_packet_has_all_its_keys(sid: str, upgrades: list[str], interval: int) -> None:
    packet = decode_text(OpenPacket(sid, upgrades, interval / 1000, 0.3).encode())
    assert packet.type is EnginePacketType.OPEN
    assert json.loads(packet.data) == {
        "sid": sid,
        "upgrades": upgrades,
        "pingInterval": interval,
        "pingTimeout": 300,
    }


@given(st.text(alphabet="ab=&%+2é;#", max_size=20))
def test_any_query_is_parsed_as_a_form(raw: str) -> None:
    fields = parse_qs(raw, keep_blank_values=True)
    assert parse_query(raw) == {k: v[0] if len(v) == 1 else v for k, v in fields.items()}


VALUES = st.sampled_from(["", "polling", "3", "4", "12", "x", "²", "9" * 30, "a1b2"])
ANY_QUERY = st.dictionaries(
    st.sampled_from(["transport", "sid", "EIO", "j", "b64", "t"]),
    VALUES | st.lists(VALUES, min_size=2, max_size=2),
)


@given(ANY_QUERY)
@example({"EIO": ["3", "4"], "b64": ["1", "1"]})
def test_a_request_asks_for_what_its_query_says(query: Query) -> None:
    request = HandshakeRequest.from_query(query)
    single = {key: value for key, value in query.items() if isinstance(value, str)}
    assert request.transport == single.get("transport", "")
    assert request.sid == single.get("sid", "")
    assert request.base64 == bool(single.get("b64"))
    assert request.version == single.get("EIO", "")
    digits = [one for one in single.get("j", "") if one in "0123456789"]
    assert request.jsonp == ("".join(digits) if "j" in single else None)
    assert request.protocol == {"": 3, "3": 3, "4": 4}.get(request.version, 0)
    assert not request.is_judged  # that is for the application to say
    codes = {"transport": 0, "sid": 1, "b64": 3, "EIO": 5, "j": 3}
    again = [key for key in codes if isinstance(query.get(key), list)]
    assert request.repeated == (again[0] if again else "")
    if again:
        assert request.repeated_code == codes[again[0]]


@given(st.sampled_from(ErrorCode), st.text(st.characters(), max_size=5))
def test_any_refusal_is_json(code: ErrorCode, detail: str) -> None:
    fields = json.loads(error_body(code, code.message, detail))
    assert fields.pop("detail", "") == detail.encode("utf-16-le", "surrogatepass").decode(
        "utf-16-le", "surrogatepass"
    )
    assert fields == {"code": code, "message": code.message}
    assert (code.status == 403) == (code.message == "Forbidden")


@examples(20)
@given(st.integers(MAX_QUERY_FIELDS - 2, MAX_QUERY_FIELDS + 3))
def test_the_number_of_fields(fields: int) -> None:
    found = attempt(RemoteProtocolError, parse_query, "&".join(f"a{n}=1" for n in range(fields)))
    if fields > MAX_QUERY_FIELDS:
        assert str(found).startswith(f"Bad request: a query may have {MAX_QUERY_FIELDS} fields")
    else:
        assert found == {f"a{n}": "1" for n in range(fields)}


@given(
    st.text("abc012", min_size=1),
    st.lists(st.just("websocket"), max_size=1),
    st.floats(0.001, 1e6),
    st.floats(0.001, 1e6),
    st.none() | st.integers(0, 10**9),
)
@example("a", [], 1.0, 1.0, 0)
def test_an_open_packet_has_milliseconds_and_bytes(
    sid: str, upgrades: list[str], interval: float, timeout: float, max_payload: int | None
) -> None:
    text = OpenPacket(sid, upgrades, interval, timeout, max_payload).encode()
    assert text.startswith('0{"sid":')
    fields = json.loads(text[1:])
    assert (fields.pop("sid"), fields.pop("upgrades")) == (sid, upgrades)
    assert abs(fields.pop("pingInterval") - interval * 1000) <= 0.5
    assert abs(fields.pop("pingTimeout") - timeout * 1000) <= 0.5
    assert fields == ({} if max_payload is None else {"maxPayload": max_payload})
