"""The router serves clients and speaks by its codec, which may change until it serves."""

from trio.testing import MockClock, wait_all_tasks_blocked

from trio_sio import Packet, Server
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.parser import Codec
from trio_sio.testing import connect


class Shouting(Encoder):
    """Writes events in capitals."""

    def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
        messages = super().encode(packet, binary=binary)
        return [one.upper() if isinstance(one, str) else one for one in messages]


async def test_clients_are_those_that_are_here(autojump_clock: MockClock) -> None:
    io = Server()
    async with io:
        async with connect(io) as first, connect(io) as second:
            assert {one.id for one in io.router.clients} == {first.id, second.id}
            assert {len(one.sockets) for one in io.router.clients} == {1}
        await wait_all_tasks_blocked()
        assert not io.router.clients


async def test_another_codec_is_that_of_the_namespaces_that_exist_too(
    autojump_clock: MockClock,
) -> None:
    io = Server()
    chat = io.of("/chat")
    made: list[Decoder] = []

    def make_decoder() -> Decoder:
        made.append(Decoder())
        return made[-1]

    io.router.change_codec(Codec(Shouting(), make_decoder, Shouting(), Decoder5))
    assert isinstance(io.router.encoder, Shouting)
    assert isinstance(io.of("/new").codec.encoder, Shouting)
    assert isinstance(chat.codec.encoder, Shouting)
    async with connect(io) as client:
        await io.emit("hello", "you")
        assert await client.receive() == ["HELLO", "YOU"]
    assert len(made) == 2  # the client's own among them
