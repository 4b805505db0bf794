"""What clients of both revisions speak, by each parser."""

from typing import NamedTuple

import pytest
import trio

import trio_sio
from trio_sio import ConnectionRefused, Server, Socket
from trio_sio.protocol.engineio.version import EIO3, EIO4
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.testing import connect, open_network
from trio_sio.testing.clients.dialect import check_auth, dialect_of, version_of


class Own(NamedTuple):
    """A parser of the application's own."""

    Encoder: type[Encoder] = Encoder
    Decoder: type[Decoder] = Decoder


PARSERS = [None, "msgpack", Own()]


def test_versions_go_together() -> None:
    assert version_of(4) is EIO3
    assert version_of(5) is EIO4
    with pytest.raises(ValueError, match=r"'protocol' must be one of \(4, 5\), not 3"):
        version_of(3)


def test_auth_needs_protocol_5() -> None:
    check_auth(4, None)
    check_auth(5, {})
    with pytest.raises(ValueError, match="'auth' needs protocol=5"):
        check_auth(4, {})


@pytest.mark.parametrize("protocol", [4, 5])
@pytest.mark.parametrize("parser", PARSERS, ids=["json", "msgpack", "own"])
async def test_all_packets_come_by_each_parser(
    parser: object, protocol: int, autojump_clock: trio.abc.Clock
) -> None:
    io = Server(parser=parser)  # type: ignore[arg-type]  # three kinds

    @io.of("/closed").use
    def refuse(socket: Socket) -> None:
        raise ConnectionRefused("no", {"code": [1]} if protocol == 5 else None)

    @io.on("connection")
    def connection(socket: Socket) -> None:
        socket.on("add", lambda one, other: [one, other])
        socket.on("bye", lambda: socket.disconnect())
        socket.on("talk", lambda *args: socket.emit("said", *args))

    async with io, open_network(io) as network:
        for opened in (
            lambda name: connect(io, name, protocol=protocol),
            lambda name: network.connect("websocket", name, protocol=protocol),
        ):
            with pytest.raises(ConnectionRefused, match="no") as refused:
                async with opened("/closed"):
                    raise AssertionError("the client was let in")
            assert refused.value.data == ({"code": [1]} if protocol == 5 else None)
            async with opened("/") as client:
                assert [*io.sockets.sockets] == [client.id]
                assert await client.call("add", b"1", {"a": b""}) == [[b"1", {"a": b""}]]
                await client.emit("talk", "\u20ac", b"\0")
                assert await client.receive() == ["said", "\u20ac", b"\0"]
                await client.emit("bye")
                with pytest.raises(trio_sio.Disconnected):
                    await client.receive()


def test_a_decoder_with_refusals_takes_nothing_else() -> None:
    decoder = dialect_of(Server(parser="msgpack"), 5).make_decoder()
    for message in ("{}", b"\x80", b"\x81\xa4type\x05"):
        with pytest.raises(RemoteProtocolError):
            decoder.feed(message)


@pytest.mark.parametrize(("spoken", "refused"), [(3, 5), (4, 4)])
async def test_a_server_that_does_not_speak_it_refuses(
    spoken: int, refused: int, autojump_clock: trio.abc.Clock
) -> None:
    io = Server(protocols=(spoken,))  # type: ignore[arg-type]  # one of the two
    async with io, open_network(io) as network:
        for opened in (
            connect(io, protocol=refused),
            network.connect(protocol=refused),
            network.connect("polling", protocol=refused),
        ):
            with pytest.raises(ConnectionRefused, match="Unsupported protocol version"):
                async with opened:
                    raise AssertionError("the client was let in")
        async with connect(io, protocol=spoken + 1) as client:
            assert client.session.protocol == spoken
