"""The opening handshake, as RFC 6455 and the reference server have it."""

import pytest

from tests.engine.serving import undated
from trio_sio.engine.message import Headers, Request
from trio_sio.engine.websocket.handshake import acceptance, problem, refusal, subprotocol

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of the example in RFC 6455, section 1.3


def request(method: str = "GET", **fields: str) -> Request:
    given = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    return Request(method, "/", Headers(given.items()))


@pytest.mark.parametrize("version", ["13", "8"])
def test_good_requests(version: str) -> None:
    assert problem(request(Sec_WebSocket_Version=version)) == ""


@pytest.mark.parametrize(
    ("bad", "text"),
    [
        (request("POST"), "must be GET, not POST"),
        (request(Sec_WebSocket_Version="7"), "must be 13, not '7'"),
        (request(Sec_WebSocket_Version=""), "must be 13"),
        (request(Sec_WebSocket_Key=""), "16 bytes in base64"),
        (request(Sec_WebSocket_Key="c2hvcnQ="), "16 bytes in base64"),
        (request(Sec_WebSocket_Key="!" * 24), "16 bytes in base64"),
        (request(Sec_WebSocket_Key="é" * 24), "16 bytes in base64"),
    ],
)
def test_what_is_wrong_is_said(bad: Request, text: str) -> None:
    assert text in problem(bad)


def test_the_answer() -> None:
    lines = acceptance(request()).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines
    assert lines[-2:] == [b"", b""]
    assert not any(b"Protocol:" in line or b"Extensions" in line for line in lines)


def test_the_first_subprotocol_is_taken() -> None:
    asked = request(Sec_WebSocket_Protocol="one, two")
    assert subprotocol(asked) == "one"
    assert b"Sec-WebSocket-Protocol: one\r\n" in acceptance(asked)
    assert subprotocol(request()) is None


def test_extensions_are_named() -> None:
    answer = acceptance(request(), "permessage-deflate")
    assert b"Sec-WebSocket-Extensions: permessage-deflate\r\n" in answer


@pytest.mark.parametrize("text", ["Transport unknown", "", "é"])
def test_a_refusal_is_400_whatever_the_reason(text: str) -> None:
    body = text.encode()
    assert undated(refusal(text)) == (
        b"HTTP/1.1 400 Bad Request\r\nCache-Control: no-store\r\nConnection: close\r\n"
        b"Content-type: text/html\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)
    )
