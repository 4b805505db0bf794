"""The encoders and decoders that the option `parser` chooses."""

import sys

import pytest

from trio_sio.protocol.socketio import codec_msgpack, decoder as own_decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import Packet, PacketType
from trio_sio.protocol.socketio.parser import find_codec


def test_socketios_own_by_default() -> None:
    encoder, make_decoder = find_codec(None, 3)
    decoder = make_decoder()
    assert isinstance(encoder, Encoder)
    assert isinstance(decoder, own_decoder.Decoder)
    assert encoder.max_attachments == decoder.max_attachments == 3


def test_msgpack() -> None:
    encoder, make_decoder = find_codec("msgpack", 10)
    assert isinstance(encoder, codec_msgpack.Encoder)
    assert isinstance(make_decoder(), codec_msgpack.Decoder)


def test_msgpack_without_its_library(monkeypatch: pytest.MonkeyPatch) -> None:
    import trio_sio.protocol.socketio as package

    monkeypatch.setitem(sys.modules, "trio_sio.protocol.socketio.codec_msgpack", None)
    monkeypatch.delattr(package, "codec_msgpack")
    with pytest.raises(ImportError, match=r"trio-sio\[msgpack\]"):
        find_codec("msgpack", 10)


def test_ones_own() -> None:
    class Shouting:
        def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
            return [packet.event.upper()]

    class Parser:
        Encoder = Shouting
        Decoder = own_decoder.Decoder

    encoder, make_decoder = find_codec(Parser, 10)
    assert isinstance(encoder, Shouting)
    assert make_decoder is own_decoder.Decoder


def test_ones_own_sees_nothing_that_json_does_not_have() -> None:
    seen: list[Packet] = []

    class Parser:
        Decoder = own_decoder.Decoder

        class Encoder:
            def encode(self, packet: Packet, *, binary: bool = True) -> list[str | bytes]:
                seen.append(packet)
                return [b"plain"] if binary else ["plain"]

    encoder, _ = find_codec(Parser, 10, lambda value: sorted(value))  # type: ignore[call-overload]
    plain = Packet(PacketType.EVENT, "/", ["a", 1])
    assert encoder.encode(plain) == [b"plain"]
    foreign = Packet(PacketType.EVENT, "/", ["a", {2, 1}], 7)  # type: ignore[list-item]
    assert encoder.encode(foreign, binary=False) == ["plain"]
    assert seen[0] is plain
    assert seen[1] == Packet(PacketType.EVENT, "/", ["a", [1, 2]], 7)


@pytest.mark.parametrize("parser", [None, "msgpack"])
def test_what_json_does_not_have(parser: str | None) -> None:
    encoder, make_decoder = find_codec(parser, 10, str)
    packet = Packet(PacketType.EVENT, "/", ["a", 1j])  # type: ignore[list-item]
    (message,) = encoder.encode(packet)
    assert make_decoder().feed(message) == Packet(PacketType.EVENT, "/", ["a", "1j"])
