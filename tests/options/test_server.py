"""A server's options: each wrong value is named, and good ones are taken."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from trio_sio import Engine, Server, ServerOptions
from trio_sio.options import LIMIT_OPTIONS
from trio_sio.options.cookie import BY_PROTOCOL

OUT_OF_RANGE: list[tuple[str, object]] = [
    ("path", ""),
    ("path", "socket.io"),
    ("path", None),
    ("node_id", "a.b"),
    ("node_id", "n" * 33),
    ("protocols", ()),
    ("protocols", (3, 5)),
    ("protocols", ("3",)),
    ("protocols", 4),
    ("ping_timeout", 0),
    ("ping_timeout", -1),
    ("ping_interval", 0.0),
    ("ping_interval", float("nan")),
    ("ping_interval", 1_000_001),
    ("ping_interval", float("inf")),
    ("ping_timeout", 1_000_000.5),
    ("upgrade_timeout", -0.5),
    ("head_timeout", 0),
    ("body_timeout", 0),
    ("keep_alive_timeout", -1),
    ("answer_timeout", 0),
    ("handshake_timeout", 0),
    ("connect_timeout", 0),
    ("max_connections", 0),
    ("max_connections_per_address", 0),
    ("max_sessions", 0),
    ("grace", -1),
    ("max_http_buffer_size", 0),
    ("handshake_buffer_size", 0),
    ("max_outbox", 0),
    ("max_outbox_bytes", -1),
    ("max_inbox", 0),
    ("max_attachments", 0),
    ("max_packet_bytes", 0),
    ("attachments_timeout", 0),
    ("max_payload_packets", 0),
    ("max_fragments", 0),
    ("max_headers", 0),
    ("max_header_size", 0),
    ("handshake_packets", 0),
    ("max_namespaces", 0),
    ("max_pending_namespaces", 0),
    ("max_rooms", 0),
    ("max_pending_acks", 0),
    ("max_events_per_second", 0),
    ("max_events_per_second", float("nan")),
    ("max_events_per_second", float("inf")),
    ("event_burst", 0),
    ("on_flood", "explode"),
    ("on_flood", None),
    ("ws_engine", "wsproto"),
    ("on_overflow", "explode"),
    ("high_water", 0),
    ("high_water", 1.01),
    ("high_water", float("nan")),
    ("low_water", -0.1),
    ("low_water", 0.5),
    ("low_water", float("nan")),
    ("slow_step", 0),
    ("slow_step", -1.0),
    ("transports", []),
    ("transports", "polling"),
    ("transports", ["polling", "flashsocket"]),
    ("allow_headers", ""),
    ("allow_headers", "Authorization, X-Tenant"),
    ("allow_headers", ["Authorization:"]),
    ("allow_headers", ["X\r\nEvil"]),
    ("cookie", ""),
    ("cookie", "a b"),
    ("cookie", "io;Secure"),
    ("cookie", "io\r\n"),
    ("cookie", 5),
    ("cookie_path", "/; Domain=x"),
    ("cookie_path", "/\n"),
    ("cookie_same_site", "strict"),
    ("cookie_domain", "a.example; Path=/x"),
    ("trusted_proxies", 0),
    ("trusted_proxies", 33),
    ("trusted_proxies", ["10.0.0.0/33"]),
    ("trusted_proxies", "proxy.example"),
    ("forwarded_fields", "both"),
]
WRONG_TYPE: list[tuple[str, object]] = [
    ("allow_headers", None),
    ("node_id", None),
    ("cors", "*"),
    ("cors", True),
    ("add_trailing_slash", 1),
    ("protocol_of", 3),
    ("protocol_of", asyncio.sleep),
    ("connection_state_recovery", True),
    ("cookie_secure", "yes"),
    ("cookie_secure", 1),
    ("cookie_max_age", 1.5),
    ("cookie_max_age", True),
    ("trusted_proxies", True),
    ("trusted_proxies", [1]),
    ("trusted_proxies", b"unix"),
    ("allow_headers", b"Authorization"),
    ("allow_headers", [b"Authorization"]),
    ("allow_headers", {"Authorization": "Bearer"}),
    ("ping_timeout", "5"),
    ("ping_interval", None),
    ("upgrade_timeout", True),
    ("head_timeout", None),
    ("body_timeout", None),
    ("keep_alive_timeout", None),
    ("answer_timeout", None),
    ("handshake_timeout", None),
    ("connect_timeout", "1"),
    ("max_connections", 1.0),
    ("max_connections_per_address", "1"),
    ("max_sessions", 1.0),
    ("grace", "long"),
    ("max_http_buffer_size", 1e8),
    ("max_http_buffer_size", None),
    ("handshake_buffer_size", "1"),
    ("max_outbox", True),
    ("max_outbox_bytes", 1.5),
    ("high_water", None),
    ("high_water", True),
    ("low_water", "0.2"),
    ("slow_step", "never"),
    ("slow_step", True),
    ("max_inbox", None),
    ("max_attachments", "10"),
    ("max_packet_bytes", None),
    ("attachments_timeout", None),
    ("max_payload_packets", 1.5),
    ("max_fragments", True),
    ("max_headers", "100"),
    ("max_header_size", 1e4),
    ("handshake_packets", "1"),
    ("max_namespaces", None),
    ("max_pending_namespaces", None),
    ("max_rooms", 1.0),
    ("max_pending_acks", None),
    ("max_events_per_second", "10"),
    ("event_burst", 1.5),
    ("allow_upgrades", 1),
    ("cleanup_empty_child_namespaces", 1),
    ("validate", 1),
    ("cookie_http_only", None),
    ("raise_errors", "no"),
    ("serve_client", 1),
    ("serve_client", None),
    ("allow_request", "yes"),
    ("generate_id", 7),
    ("fallback", object()),
    ("adapter", "memory"),
    ("json_default", "str"),
    ("json_default", asyncio.sleep),
    ("origins", 5),
    ("origins", [5]),
    ("origins", None),
    ("proxy_protocol", "v1"),
    ("per_message_deflate", 1),
    ("http_compression", "gzip"),
    ("per_message_deflate", {"levle": 9}),
    ("http_compression", {"server_max_window_bits": 9}),
]


@pytest.mark.parametrize(("name", "value"), OUT_OF_RANGE)
def test_value_out_of_range(name: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"option '{name}' must be") as error:
        ServerOptions.of({name: value})
    assert str(error.value).endswith(f"not {value!r}")


@pytest.mark.parametrize(("name", "value"), WRONG_TYPE)
def test_value_of_a_wrong_type(name: str, value: object) -> None:
    with pytest.raises(TypeError, match=f"option '{name}' ") as error:
        ServerOptions.of({name: value})
    wrong = repr(next(iter(value))) if isinstance(value, dict) else repr(value)
    assert wrong in str(error.value)


def test_every_option_has_a_wrong_value_here() -> None:
    tested = {name for name, _ in OUT_OF_RANGE + WRONG_TYPE}
    assert tested == ServerOptions.declarations().keys() - {"parser"}


@pytest.mark.filterwarnings("ignore:option")  # an hour is unusual, and allowed
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("path", "/"),
        ("ping_timeout", 0.001),
        ("ping_interval", 1_000_000),
        ("body_timeout", float("inf")),
        ("grace", 0),
        ("handshake_buffer_size", None),
        ("connect_timeout", None),
        ("max_connections", None),
        ("max_connections_per_address", None),
        ("max_outbox", 1),
        ("high_water", 1),
        ("low_water", 0),
        ("slow_step", None),
        ("slow_step", 2),
        ("transports", ("websocket",)),
        ("transports", ["websocket", "polling"]),
        ("cookie", None),
        ("cookie", "sid"),
        ("cookie_path", None),
        ("cookie_path", "/a/b"),
        ("cookie_same_site", None),
        ("cookie_same_site", "Lax"),
        ("cookie_domain", "shop.example"),
        ("cookie_max_age", 0),
        ("trusted_proxies", 1),
        ("trusted_proxies", "unix"),
        ("trusted_proxies", ["10.0.0.0/8", "::1", "unix"]),
        ("forwarded_fields", "forwarded"),
        ("serve_client", Path("..")),
        ("serve_client", "."),
        ("serve_client", "4"),
        ("origins", {"https://a", "https://b"}),
        ("origins", "https://a"),
        ("origins", lambda origin: True),
        ("per_message_deflate", {"threshold": 1, "server_no_context_takeover": True}),
        ("per_message_deflate", {"level": 9, "memory_level": 9, "server_max_window_bits": 9}),
        ("http_compression", {"threshold": 1, "level": 0}),
        ("http_compression", {}),
        ("adapter", list),
    ],
)
def test_good_values(name: str, value: object) -> None:
    assert getattr(ServerOptions.of({name: value}), name) == value


def test_defaults_of_the_document() -> None:
    options = ServerOptions()
    assert (options.path, options.serve_client, options.origins) == ("/socket.io", True, "*")
    assert (options.ping_interval, options.upgrade_timeout) == (25, 10)
    assert (options.ping_timeout_of(3), options.ping_timeout_of(4)) == (5, 20)
    assert ServerOptions.of({"ping_timeout": 7}).ping_timeout_of(4) == 7
    assert options.max_http_buffer_size == 100_000_000
    assert options.transports == ("polling", "websocket")
    assert (options.cookie, options.cookie_path, options.cookie_http_only) == (
        *(BY_PROTOCOL, "/", True),
    )
    assert options.per_message_deflate is False
    assert options.http_compression is True
    assert (options.handshake_buffer_size, options.connect_timeout) == (100_000, 45)


@pytest.mark.parametrize("make", [Server, Engine])
def test_wrong_values_are_refused_at_once(make: Callable[..., object]) -> None:
    with pytest.raises(ValueError, match=r"option 'ping_timeout' must be .*, not 0"):
        make(ping_timeout=0)


def test_limits_that_statistics_count() -> None:
    assert set(LIMIT_OPTIONS) == {
        *("head_timeout", "body_timeout", "answer_timeout", "connect_timeout", "ping_timeout"),
        *("max_http_buffer_size", "handshake_buffer_size", "max_payload_packets"),
        *("max_fragments", "max_headers", "max_header_size", "max_outbox", "max_outbox_bytes"),
        *("max_connections", "max_connections_per_address", "max_sessions"),
        *("handshake_packets", "max_namespaces", "max_pending_namespaces"),
        *("max_events_per_second", "max_packet_bytes", "attachments_timeout", "max_rooms"),
        "max_pending_acks",
    }
    assert len(set(LIMIT_OPTIONS)) == len(LIMIT_OPTIONS)


@pytest.mark.parametrize("parser", [5, "json", object()])
def test_wrong_parsers(parser: object) -> None:
    with pytest.raises(TypeError, match=r"option 'parser' must be .*Encoder and Decoder"):
        ServerOptions.of({"parser": parser})
