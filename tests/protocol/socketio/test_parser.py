"""The encoders and decoders that the option `parser` chooses."""

import sys

import pytest

from trio_sio.protocol.socketio import codec_msgpack, decoder as own_decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import Packet
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
