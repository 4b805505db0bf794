"""Which answers to polls are compressed: by size, by what the client takes, by packet."""

import gzip
import zlib

import pytest
from trio.testing import MockClock

import trio_sio
from trio_sio.protocol.encoded import Encoded
from trio_sio.testing.wire import open_wire

LONG = "x" * 2000
BODY = f"2001:4{LONG}".encode()


def item(text: str, *, compress: bool) -> Encoded:
    return Encoded.of_messages([text], compress=compress)


async def ask(accept: str, *items: Encoded | str | bytes, **options: object) -> tuple[str, bytes]:
    """Return the encoding and the body of the poll that fetches `items`."""

    async def handler(session: trio_sio.Session) -> None:
        await session.receive()
        for one in items:
            await session.send(one)
        await session.receive()

    engine = trio_sio.Engine(**{"raise_errors": True, **options})  # type: ignore[arg-type]
    async with open_wire(engine, handler) as wire:
        session = await wire.handshake()
        await session.post("4go")
        response = await wire.request("GET", session.target, {"Accept-Encoding": accept})
        assert response.headers["content-length"] == str(len(response.body))
        encoding = response.headers.get("content-encoding")
        body = response.body
    if encoding == "gzip":
        body = gzip.decompress(body)
    elif encoding == "deflate":
        body = zlib.decompress(body)
    return encoding, body


@pytest.mark.parametrize(
    ("accept", "encoding"),
    [
        ("gzip, deflate, br", "gzip"),
        ("deflate", "deflate"),
        ("gzip;q=0.5, deflate;q=0.8", "deflate"),
        ("*", "gzip"),
        ("br", ""),
        ("gzip;q=0", ""),
        ("", ""),
    ],
)
async def test_the_client_says_what_it_takes(
    accept: str, encoding: str, autojump_clock: MockClock
) -> None:
    assert await ask(accept, LONG) == (encoding, BODY)


@pytest.mark.parametrize(
    ("option", "size", "encoding"),
    [
        (True, 1017, ""),  # "1018:4" and so many are 1023 bytes
        (True, 1018, "gzip"),
        (False, 100_000, ""),
        ({"threshold": 100}, 95, ""),
        ({"threshold": 100}, 96, "gzip"),
        ({"threshold": 0}, 1, "gzip"),
        ({}, 1018, "gzip"),
    ],
)
async def test_small_answers_are_left_alone(
    option: bool | dict[str, int], size: int, encoding: str, autojump_clock: MockClock
) -> None:
    found, body = await ask("gzip", "x" * size, http_compression=option)
    assert (found, body) == (encoding, f"{size + 1}:4{'x' * size}".encode())


@pytest.mark.parametrize(
    ("flags", "encoding"),
    [([True], "gzip"), ([False], ""), ([False, False], ""), ([False, True], "gzip")],
)
async def test_packets_may_ask_not_to_be_compressed(
    flags: list[bool], encoding: str, autojump_clock: MockClock
) -> None:
    items = [item(LONG, compress=flag) for flag in flags]
    assert await ask("gzip", *items) == (encoding, BODY * len(flags))


async def test_binary_payloads_are_compressed_too(autojump_clock: MockClock) -> None:
    binary = b"\x01\x02\x00\x00\x01\xff\x04" + b"\0" * 2000
    assert await ask("gzip", b"\0" * 2000) == ("gzip", binary)


async def test_a_handshake_is_a_poll_and_jsonp_too(autojump_clock: MockClock) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()

    engine = trio_sio.Engine(raise_errors=True, http_compression={"threshold": 1})
    async with open_wire(engine, handler) as wire:
        target = wire.target("polling", "j=0")
        response = await wire.request("GET", target, {"Accept-Encoding": "gzip"})
        assert response.headers["content-encoding"] == "gzip"
        assert gzip.decompress(response.body).startswith(b"___eio[0](")


async def test_only_polls_are_compressed(autojump_clock: MockClock) -> None:
    async def handler(session: trio_sio.Session) -> None:
        await session.receive()

    accept = {"Accept-Encoding": "gzip"}
    engine = trio_sio.Engine(raise_errors=True, http_compression={"threshold": 1})
    async with open_wire(engine, handler) as wire:
        session = await wire.handshake()
        for method, target in (
            ("POST", session.target),
            ("GET", wire.target("pigeon")),
            ("OPTIONS", session.target),
        ):
            response = await wire.request(method, target, accept)
            assert "content-encoding" not in response.headers
