"""The opening handshake, as RFC 6455 and the reference server have it."""

import pytest

from trio_sio.engine.websocket.handshake import (
    absence,
    acceptance,
    problem,
    subprotocol,
)
from trio_sio.http import Headers, Request

KEY = "dGhlIHNhbXBsZSBub25jZQ=="  # of the example in RFC 6455, section 1.3


def request(method: str = "GET", **fields: str) -> Request:
    given = {"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": KEY}
    given |= {name.replace("_", "-"): value for name, value in fields.items()}
    return Request(method, "/", Headers(given.items()))


@pytest.mark.parametrize("version", ["13", "8"])
def test_good_requests(version: str) -> None:
    assert problem(request(Sec_WebSocket_Version=version)) == ""
    assert problem(request(Sec_WebSocket_Version=version, Content_Length="0")) == ""


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
        (request(Sec_WebSocket_Key=f"{KEY}=="), "16 bytes in base64"),
        (request(Sec_WebSocket_Key=f"{KEY}\n"), "16 bytes in base64"),
        (request(Sec_WebSocket_Key=f"{KEY}, {KEY}"), "16 bytes in base64"),
        (request(Sec_WebSocket_Version="13, 8"), "must be 13, not '13, 8'"),
        (request(Content_Length="1"), "must not have a body"),
        (request(Transfer_Encoding="chunked"), "must not have a body"),
    ],
)
def test_what_is_wrong_is_said(bad: Request, text: str) -> None:
    assert text in problem(bad)


@pytest.mark.parametrize(
    ("fields", "version", "text"),
    [
        ({}, "1.1", "there is no 'Upgrade: websocket' and no 'Connection: upgrade'; does a proxy"),
        ({"Upgrade": "websocket"}, "1.1", "there is no 'Connection: upgrade'; does a proxy"),
        ({"Connection": "Upgrade"}, "1.1", "there is no 'Upgrade: websocket'; does a proxy"),
        (
            {"Connection": "close", "Upgrade": "WebSocket"},
            *("1.1", "there is no 'Connection: upgrade'; does a proxy"),
        ),
        (
            {"Connection": "close"},
            *("1.0", "there is no 'Upgrade: websocket' and no 'Connection: upgrade'; does a proxy"),
        ),
    ],
)
def test_why_it_is_no_request_for_a_websocket(
    fields: dict[str, str], version: str, text: str
) -> None:
    asked = Request("GET", "/", Headers(fields.items()), http_version=version)
    assert not asked.wants_websocket
    assert absence(asked).startswith(f"transport=websocket without an upgrade: {text}")


def test_the_answer() -> None:
    lines = acceptance(request()).split(b"\r\n")
    assert lines[0] == b"HTTP/1.1 101 Switching Protocols"
    assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in lines
    assert lines[-2:] == [b"", b""]
    assert not any(b"Protocol:" in line or b"Extensions" in line for line in lines)


@pytest.mark.parametrize(
    ("offered", "taken"),
    [
        ("one, two", "one"),
        ("one", "one"),
        (" ,, one ,two", "one"),
        ("Bearer/abc=,two", "Bearer/abc="),
        ("o ne, two", "two"),
        ("\xe9, two", "two"),
        ("\xe9", None),
        (" , ", None),
    ],
)
def test_the_first_subprotocol_is_taken(offered: str, taken: str | None) -> None:
    asked = request(Sec_WebSocket_Protocol=offered)
    assert subprotocol(asked) == taken
    lines = acceptance(asked).split(b"\r\n")
    named = [line for line in lines if line.startswith(b"Sec-WebSocket-Protocol:")]
    assert named == ([] if taken is None else [b"Sec-WebSocket-Protocol: " + taken.encode()])


def test_without_an_offer_there_is_no_subprotocol() -> None:
    assert subprotocol(request()) is None


def test_subprotocols_may_come_in_several_fields() -> None:
    fields = [("Sec-WebSocket-Protocol", ""), ("Sec-WebSocket-Protocol", "one")]
    assert subprotocol(Request("GET", "/", Headers(fields))) == "one"


def test_extensions_are_named() -> None:
    answer = acceptance(request(), "permessage-deflate")
    assert b"Sec-WebSocket-Extensions: permessage-deflate\r\n" in answer
