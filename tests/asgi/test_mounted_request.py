"""Scopes become requests: paths, fields, bodies and their limits."""

from collections.abc import Sequence
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock

from tests.support.asgi_peer import http_scope, websocket_scope
from trio_sio.asgi.mounted_request import Receiver, path_of, request_of
from trio_sio.asgi.types import Message, Scope
from trio_sio.http import BodyTooLarge, BodyTooSlow, Request

OURS = "/socket.io/"


def receiver_of(messages: Sequence[Message] = ()) -> Receiver:
    """Brings some messages, and nothing after them."""
    left = list(messages)

    async def receive() -> Message:
        await trio.lowlevel.checkpoint()
        if not left:
            await trio.sleep_forever()
        return left.pop(0)

    return Receiver(receive, 10.0)


def body_of(*pieces: bytes) -> list[Message]:
    ends = [True] * (len(pieces) - 1) + [False]
    return [
        {"type": "http.request", "body": piece, "more_body": more}
        for piece, more in zip(pieces, ends, strict=True)
    ]


def request(messages: Sequence[Message] = (), **more: Any) -> Request:  # noqa: ANN401
    return request_in(http_scope("/socket.io/", **more), receiver_of(messages))


def request_in(scope: Scope, receiver: Receiver) -> Request:
    return request_of(scope, receiver, path_of(scope, OURS))


@pytest.mark.parametrize(
    ("path", "raw", "root", "expected"),
    [
        ("/socket.io/", b"/socket.io/", "", "/socket.io/"),
        ("/chat/socket.io/", b"/chat/socket.io/", "/chat", "/socket.io/"),
        ("/socket.io/", b"/chat/socket.io/", "", "/socket.io/"),  # path was shortened
        ("/socket.io/", b"/chat/socket.io/", "/chat", "/socket.io/"),
        ("/socket.io/", b"/socket.io/", "/socket.io", "/socket.io/"),  # mounted at our own path
        ("/chat", b"/chat", "/chat", "/"),
        ("/chatter/", b"/chatter/", "/chat", "/chatter/"),
        ("/ü x/", None, "", "/%C3%BC%20x/"),
        ("/a b", b"/a%20b?c=d", "", "/a%20b"),
        ("", b"", "", "/"),
    ],
)
def test_path(path: str, raw: bytes | None, root: str, expected: str) -> None:
    scope = http_scope(path, raw_path=raw, root_path=root)
    assert path_of(scope, OURS) == expected
    assert request_of(scope, receiver_of(), expected).target == expected


def test_what_a_request_knows() -> None:
    seen = request(query="EIO=3&a=%20", scheme="https", http_version="2")
    assert seen.target == "/socket.io/?EIO=3&a=%20"
    assert (seen.remote, seen.secure, seen.http_version) == ("1.2.3.4", True, "1.1")
    assert (seen.remote_port, seen.local) == (5, ("here", 80))
    assert request(client=None, http_version="1.0").http_version == "1.0"
    assert request(client=None).remote == ""
    assert request(client=None, server=None).local is None


def test_a_handshake_is_one_of_http_1() -> None:
    handshake = request_in(websocket_scope("transport=websocket"), receiver_of())
    assert handshake.wants_websocket
    assert handshake.headers["sec-websocket-version"] == "13"
    plain = request(headers=[(b"Connection", b"upgrade"), (b"Upgrade", b"websocket")])
    assert not plain.wants_websocket  # the other server does not treat it as one


@given(st.lists(st.binary(max_size=20), min_size=1, max_size=6), st.integers(0, 60))
def test_any_body(pieces: list[bytes], limit: int) -> None:
    whole = b"".join(pieces)

    async def read() -> None:
        if len(whole) <= limit:
            assert await request(body_of(*pieces)).body(limit) == whole
            streamed = [one async for one in request(body_of(*pieces)).stream(limit)]
            assert b"".join(streamed) == whole
            return
        with pytest.raises(BodyTooLarge) as caught:
            await request(body_of(*pieces)).body(limit)
        assert limit < caught.value.size <= len(whole)
        with pytest.raises(BodyTooLarge):
            async for _ in request(body_of(*pieces)).stream(limit):
                pass

    trio.run(read)


async def test_a_body_that_is_announced_too_large_is_not_read() -> None:
    large = request(headers=[(b"content-length", b"1000")])
    with pytest.raises(BodyTooLarge):
        await large.body(999)
    with pytest.raises(BodyTooLarge):
        async for _ in large.stream(999):
            pass


async def test_a_slow_body(autojump_clock: MockClock) -> None:
    beginning: Message = {"type": "http.request", "body": b"a", "more_body": True}
    with pytest.raises(BodyTooSlow):
        await request([beginning]).body()


async def test_a_client_that_leaves_in_the_middle() -> None:
    beginning: Message = {"type": "http.request", "body": b"a", "more_body": True}
    receiver = receiver_of([beginning, {"type": "http.disconnect"}])
    with pytest.raises(trio.BrokenResourceError):
        await receiver.read(100, 0)
    assert receiver.hung_up


async def test_one_piece_is_kept_while_the_client_is_watched(autojump_clock: MockClock) -> None:
    receiver = receiver_of(body_of(b"", b"a", b"b"))
    with trio.move_on_after(1):
        await receiver.wait_hung_up()
    assert not receiver.hung_up
    assert await receiver.read(10, 0) == b"ab"
    leaving = receiver_of([*body_of(b""), {"type": "http.disconnect"}])
    await leaving.wait_hung_up()
    assert leaving.hung_up
