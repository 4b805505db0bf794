"""What is known of a client: the nine fields, and the query's two sources."""

from dataclasses import replace
from datetime import UTC, datetime
from urllib.parse import unquote

import pytest
import trio
from hypothesis import given, strategies as st
from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import (
    Handshake,
    Headers,
    Packet,
    PacketType,
    RemoteProtocolError,
    Request,
    Server,
    Socket,
)
from trio_sio.protocol.socketio.packet import JSON
from trio_sio.router.handshake import split_namespace
from trio_sio.testing import connect


def test_the_nine_fields() -> None:
    fields = [
        ("Host", "example.org"),
        ("Origin", "https://example.org"),
        ("X-Two", "1"),
        ("x-two", "2"),
        *(("Cookie", "a=1"), ("Cookie", "b=2"), ("Authorization", "a"), ("Authorization", "b")),
    ]
    request = Request(
        "GET", "/socket.io/?EIO=3&a=1&b=x%20y", Headers(fields), remote="192.0.2.1", secure=True
    )
    handshake = Handshake.of(request, {"b": "of the namespace", "c": "3"}, 1.5, is_query=True)
    assert handshake.headers == {
        "host": "example.org",
        "origin": "https://example.org",
        "x-two": "1, 2",
        "cookie": "a=1; b=2",
        "authorization": "a",
    }
    assert handshake.time == datetime(1970, 1, 1, 0, 0, 1, 500_000, UTC)
    assert handshake.issued == 1500
    assert handshake.address == "192.0.2.1"
    assert handshake.xdomain is True
    assert handshake.secure is True
    assert handshake.url == "/socket.io/?EIO=3&a=1&b=x%20y"
    assert handshake.query == {"EIO": "3", "a": "1", "b": "of the namespace", "c": "3"}
    assert handshake.auth == {"b": "of the namespace", "c": "3"}


def test_what_a_client_of_socket_io_3_says_is_no_query() -> None:
    request, auth = Request("GET", "/socket.io/?EIO=4&a=1"), {"a": {"b": None}}
    handshake = Handshake.of(request, auth, 1.5, is_query=False)  # type: ignore[arg-type]  # JSON
    assert handshake.query == {"EIO": "4", "a": "1"}
    assert handshake.auth == auth
    assert handshake.auth is not auth


def test_a_request_from_nowhere_near() -> None:
    handshake = Handshake.of(
        Request("GET", "/socket.io/", Headers([]), remote=""), {}, 1.5, is_query=True
    )
    assert handshake.headers == {}
    assert handshake.xdomain is False
    assert handshake.secure is False
    assert handshake.query == {}


@pytest.mark.parametrize(
    ("namespace", "name", "query"),
    [
        ("/", "/", {}),
        ("/chat", "/chat", {}),
        ("/chat?", "/chat", {}),
        ("/chat?a=1", "/chat", {"a": "1"}),
        ("/chat?a=1&b=%C3%A9&a=2", "/chat", None),
        ("/chat?a=b?c", "/chat", {"a": "b?c"}),
        ("/?a=1", "/", {"a": "1"}),
        ("/chat#x?a=1", "/chat", {}),
    ],
)
def test_a_connect_packets_namespace(
    namespace: str, name: str, query: dict[str, object] | None
) -> None:
    found, parsed = split_namespace(namespace)
    assert found == name
    if query is not None:
        assert parsed == query
    else:
        assert parsed["b"] == unquote("%C3%A9")


def test_too_many_fields() -> None:
    with pytest.raises(RemoteProtocolError):
        split_namespace("/chat?" + "&".join(f"{number}=" for number in range(100_000)))


async def test_a_sockets_handshake(autojump_clock: trio.abc.Clock) -> None:
    io = Server(path="/here")
    handshakes: dict[str, Handshake] = {}

    def connection(socket: Socket) -> None:
        handshakes[socket.namespace.name] = socket.handshake
        assert socket.request is socket.conn.request is socket.client.request

    io.on("connection", connection)
    io.of("/chat").on("connection", connection)
    query = {"token": "a&b=c ü", "x": ""}
    async with connect(io, "/chat", query=query, headers={"Cookie": "io=1"}):
        await wait_all_tasks_blocked()
    for handshake in handshakes.values():
        assert query.items() <= handshake.query.items()
        assert handshake.query["EIO"] == "3"
        assert handshake.address == "127.0.0.1"
        assert list(handshake.headers.values()) == ["io=1"]
        assert handshake.url.startswith("/here/?")
    assert set(handshakes) == {"/", "/chat"}


async def test_the_namespaces_query_is_its_own(autojump_clock: trio.abc.Clock) -> None:
    io = Server()
    queries = {}

    def connection(socket: Socket) -> None:
        queries[socket.namespace.name] = socket.handshake.query.get("token")

    for name in ("/", "/a", "/b"):
        io.of(name).on("connection", connection)
    async with connect(io, query={"token": "request"}) as client:
        await client.send_packet(Packet(PacketType.CONNECT, "/a?token=a"))
        await client.send_packet(Packet(PacketType.CONNECT, "/b"))
        await wait_all_tasks_blocked()
    assert queries == {"/": "request", "/a": "a", "/b": "request"}


@pytest.mark.parametrize(
    ("query", "last", "every"),
    [
        ({"token": "a"}, "a", ["a"]),
        ({"token": ["a", "b"]}, "b", ["a", "b"]),
        ({"token": ""}, "", [""]),
        ({"other": "a"}, "none", []),
    ],
)
def test_values_of_the_query(query: dict[str, JSON], last: str, every: list[str]) -> None:
    handshake = Handshake.of(Request("GET", "/"), query, 0, is_query=True)
    assert handshake.get("token", "none") == last
    assert handshake.get_all("token") == every


@given(
    st.dictionaries(
        st.sampled_from(
            ["headers", "time", "address", "issued", "url", "query", "auth", "xdomain"]
        ),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=3,
        ),
    )
)
def test_whatever_another_server_tells_is_a_handshake(members: dict[str, JSON]) -> None:
    handshake = Handshake.of_json(members)
    assert Handshake.of_json(handshake.as_json()).address == handshake.address
    assert handshake.time.tzinfo is UTC


async def test_another_server_is_told_all_of_it(autojump_clock: MockClock) -> None:
    io = Server()
    async with connect(io, "/", query={"a": "1"}, headers={"Origin": "http://x"}) as anna:
        handshake = io.sockets.connected[anna.id].handshake
        again = Handshake.of_json(handshake.as_json())
        assert replace(again, time=handshake.time) == handshake
        assert abs((again.time - handshake.time).total_seconds()) < 0.001
        assert set(handshake.as_json()) == {
            *("headers", "time", "address", "xdomain", "secure", "issued", "url", "query", "auth")
        }
