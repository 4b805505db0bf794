"""The same requests to the server itself, and mounted under Hypercorn: the same answers."""

import re
from typing import Any

import pytest
import trio

import trio_sio
from tests.support.mounted import mounted
from tests.support.peers import served
from trio_sio.asgi import Application

ASK = "/socket.io/?EIO=3&transport="
CHUNKED = "Transfer-Encoding: chunked\r\n"

REQUESTS = {
    "handshake": f"GET {ASK}polling&b64=1 HTTP/1.1\r\n\r\n",
    "binary": f"GET {ASK}polling HTTP/1.1\r\n\r\n",
    "jsonp": f"GET {ASK}polling&j=7 HTTP/1.1\r\n\r\n",
    "origin": f"GET {ASK}polling&b64=1 HTTP/1.1\r\nOrigin: http://page.example\r\n\r\n",
    "foreign origin": f"GET {ASK}polling HTTP/1.1\r\nOrigin: http://evil.example\r\n\r\n",
    "preflight": f"OPTIONS {ASK}polling HTTP/1.1\r\nOrigin: http://page.example\r\n"
    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-token\r\n\r\n",
    "unknown transport": f"GET {ASK}flash HTTP/1.1\r\n\r\n",
    "unknown session": f"GET {ASK}polling&sid=nobody HTTP/1.1\r\n\r\n",
    "post to nobody": f"POST {ASK}polling&sid=nobody HTTP/1.1\r\nContent-Length: 3\r\n\r\n1:2",
    "wrong method": f"DELETE {ASK}polling HTTP/1.1\r\n\r\n",
    "a later protocol": "GET /socket.io/?EIO=5&transport=polling HTTP/1.1\r\n\r\n",
    "websocket without upgrade": f"GET {ASK}websocket HTTP/1.1\r\n\r\n",
    "elsewhere": "GET /elsewhere HTTP/1.1\r\n\r\n",
    "client": "GET /socket.io/socket.io.js HTTP/1.1\r\n\r\n",
    "head of client": "HEAD /socket.io/socket.io.js HTTP/1.1\r\n\r\n",
    "no such file": "GET /socket.io/socket.io.css HTTP/1.1\r\n\r\n",
    "a path with escapes": "GET /socket.io%2F?EIO=3&transport=polling HTTP/1.1\r\n\r\n",
    "refused websocket": f"GET {ASK}websocket HTTP/1.1\r\nOrigin: http://evil.example\r\n"
    "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
}
OF_A_SESSION = {
    "ping": "POST {} HTTP/1.1\r\nContent-Length: 3\r\n\r\n1:2",
    "ping in chunks": "POST {} HTTP/1.1\r\n" + CHUNKED + "\r\n3\r\n1:2\r\n0\r\n\r\n",
    "too large": "POST {} HTTP/1.1\r\nContent-Length: 1001\r\n\r\n" + "x" * 1001,
    "too large in chunks": "POST {} HTTP/1.1\r\n" + CHUNKED + "\r\n3e9\r\n" + "x" * 1001 + "\r\n",
    "malformed": "POST {} HTTP/1.1\r\nContent-Length: 3\r\n\r\nxyz",
    "put": "PUT {} HTTP/1.1\r\nContent-Length: 3\r\n\r\n1:2",
    "poll": "GET {} HTTP/1.1\r\n\r\n",
}
WEBSOCKET_ID = re.compile(rb'"sid\\?":\\?"([^"\\]+)')


def server(**options: Any) -> trio_sio.Server:  # noqa: ANN401
    io = trio_sio.Server(max_http_buffer_size=1000, raise_errors=True, **options)

    @io.on("connection")
    async def connected(socket: trio_sio.Socket) -> None:
        await socket.emit("hello", "ü")

    return io


def particular() -> trio_sio.Server:
    return server(origins=["http://page.example"])


async def ask(url: str, request: str) -> bytes:
    """Send a request that closes its connection, and return all of the answer."""
    host, _, port = url.removeprefix("http://").partition(":")
    text = request.replace(" HTTP/1.1\r\n", " HTTP/1.1\r\nHost: here\r\nConnection: close\r\n", 1)
    if "Upgrade" in text:
        text = text.replace("Connection: close\r\n", "", 1)
    async with await trio.open_tcp_stream(host, int(port)) as stream:
        await stream.send_all(text.encode())
        answer = b""
        with trio.fail_after(10):
            while data := await stream.receive_some():
                answer += data
    return answer


def comparable(answer: bytes) -> tuple[bytes, list[bytes], bytes]:
    """Status, header fields, and body without what differs each time, or between the servers."""
    head, _, body = answer.partition(b"\r\n\r\n")
    first, *lines = head.split(b"\r\n")
    fields = [(name.lower(), value) for name, _, value in (one.partition(b":") for one in lines)]
    kept = sorted(
        name + b":" + re.sub(rb"=[^;]+;", b"=;", value)
        for name, value in fields
        if name not in (b"date", b"server", b"connection")
    )
    return first.split(b" ")[1], kept, WEBSOCKET_ID.sub(b'"sid":"', body)


@pytest.mark.parametrize("name", REQUESTS)
async def test_requests(name: str) -> None:
    answers = []
    async with served(particular()) as url:
        answers.append(comparable(await ask(url, REQUESTS[name])))
    async with mounted(Application(particular())) as url:
        answers.append(comparable(await ask(url, REQUESTS[name])))
    native, other = answers
    assert native == other


@pytest.mark.parametrize("name", OF_A_SESSION)
async def test_requests_of_a_session(name: str) -> None:
    answers = []
    for serve in (served, lambda io: mounted(Application(io))):
        async with serve(server()) as url:
            handshake = await ask(url, REQUESTS["handshake"])
            found = WEBSOCKET_ID.search(handshake)
            assert found is not None
            target = f"{ASK}polling&b64=1&sid={found[1].decode()}"
            if name != "poll":
                await ask(url, OF_A_SESSION["poll"].format(target))
            answers.append(comparable(await ask(url, OF_A_SESSION[name].format(target))))
    native, other = answers
    assert native == other
