"""The encoders and decoders that the option `parser` chooses."""

import inspect
import sys

import pytest
from hypothesis import given, strategies as st

from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio import codec_msgpack, decoder as own_decoder
from trio_sio.protocol.socketio.encoder import Encoder
from trio_sio.protocol.socketio.packet import JSON, PLAIN_OF, Packet, PacketType
from trio_sio.protocol.socketio.parser import (
    BoundedDecoder,
    PacketDecoder,
    PacketEncoder,
    Parser,
    find_codec,
)
from trio_sio.testing import strategies as sio


def test_socketios_own_by_default() -> None:
    encoder, make_decoder, *_ = find_codec(None, 3)
    decoder = make_decoder()
    assert isinstance(encoder, Encoder)
    assert isinstance(decoder, own_decoder.Decoder)
    assert encoder.max_attachments == decoder.max_attachments == 3


def test_msgpack() -> None:
    encoder, make_decoder, *_ = find_codec("msgpack", 10)
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

    encoder, make_decoder, *_ = find_codec(Parser, 10)
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

    encoder, *_ = find_codec(Parser, 10, lambda value: sorted(value))  # type: ignore[call-overload]
    plain = Packet(PacketType.EVENT, "/", ["a", 1])
    assert encoder.encode(plain) == [b"plain"]
    foreign = Packet(PacketType.EVENT, "/", ["a", {2, 1}], 7)  # type: ignore[list-item]
    assert encoder.encode(foreign, binary=False) == ["plain"]
    assert seen[0] is plain
    assert seen[1] == Packet(PacketType.EVENT, "/", ["a", [1, 2]], 7)


@pytest.mark.parametrize("parser", [None, "msgpack"])
def test_what_json_does_not_have(parser: str | None) -> None:
    encoder, make_decoder, *_ = find_codec(parser, 10, str)
    packet = Packet(PacketType.EVENT, "/", ["a", 1j])  # type: ignore[list-item]
    (message,) = encoder.encode(packet)
    assert make_decoder().feed(message) == Packet(PacketType.EVENT, "/", ["a", "1j"])


class Own:
    """What an application hands over: here, the default parser."""

    Encoder = Encoder
    Decoder = own_decoder.Decoder


@given(sio.socketio_packets(), st.sampled_from([None, Own()]), st.booleans())
def test_packets_come_back_by_each_parser(
    packet: Packet, parser: Parser | None, has_default: bool
) -> None:
    encoder, make_decoder, *_ = find_codec(parser, 10, str if has_default else None)
    decoder = make_decoder()
    *_, whole = [decoder.feed(message) for message in encoder.encode(packet)]
    assert whole == packet


@given(
    st.sampled_from([None, "msgpack", Own()]),
    st.sampled_from([PacketType.EVENT, PacketType.ACK]),
    st.complex_numbers(allow_nan=False),
)
def test_each_parser_makes_something_of_what_json_does_not_have(
    parser: Parser | str | None, kind: PacketType, foreign: complex
) -> None:
    encoder, make_decoder, *_ = find_codec(parser, 10, str)
    (message,) = encoder.encode(Packet(kind, "/", ["a", foreign]))  # type: ignore[list-item]
    assert make_decoder().feed(message) == Packet(kind, "/", ["a", str(foreign)])


@given(st.sampled_from([None, str]), st.integers(1, 10))
def test_the_library_is_asked_for_by_name(default: type[str] | None, attachments: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        test_msgpack_without_its_library(patch)
        with pytest.raises(ImportError, match=r"trio-sio\[msgpack\]"):
            find_codec("msgpack", attachments, default)
        assert isinstance(find_codec(None, attachments, default).encoder, Encoder)


@pytest.mark.parametrize(
    ("interface", "kind"),
    [
        (PacketEncoder, Encoder),
        (PacketEncoder, codec_msgpack.Encoder),
        (PacketEncoder, codec_msgpack.Encoder5),
        (BoundedDecoder, own_decoder.Decoder),
        (BoundedDecoder, own_decoder.Decoder5),
        (PacketDecoder, codec_msgpack.Decoder),
        (PacketDecoder, codec_msgpack.Decoder5),
    ],
)
def test_the_interfaces_say_how_our_own_are_called(interface: type, kind: type) -> None:
    """Who writes a parser reads the interface: properties, arguments and their defaults."""
    names = [name for name in ("encode", "feed", "pending", "discard") if hasattr(interface, name)]
    assert names
    for name in names:
        said, done = (inspect.getattr_static(one, name) for one in (interface, kind))
        assert type(said) is type(done)
        if callable(said):
            assert inspect.signature(said) == inspect.signature(done)


@pytest.mark.parametrize("kind", [own_decoder.Decoder, own_decoder.Decoder5])
def test_the_server_can_limit_what_is_incomplete(kind: type[own_decoder.Decoder]) -> None:
    assert isinstance(kind(), BoundedDecoder)


def test_a_decoder_of_ones_own_may_have_no_limits() -> None:
    class Plain:
        def feed(self, message: str | bytes) -> Packet | None:
            return None

    assert not isinstance(Plain(), BoundedDecoder)
    assert not isinstance(codec_msgpack.Decoder(), BoundedDecoder)  # no packet is incomplete


@given(
    st.sampled_from([None, "msgpack", Own()]),
    st.sampled_from([PacketType.EVENT, PacketType.ACK]),
    st.integers(0, 3),
    st.none() | st.integers(0, 99),
    st.booleans(),
)
def test_clients_of_socketio_4_have_an_encoder_and_a_decoder_too(
    parser: Parser | str | None, kind: PacketType, count: int, ident: int | None, has_default: bool
) -> None:
    """A broadcast is encoded once; `as_5` makes of that what `encoder_5` would have sent."""
    codec = find_codec(parser, 3, str if has_default else None)
    values: list[JSON] = [bytes((number,)) for number in range(count)]
    foreign: list[object] = [1j] * has_default
    packet = Packet(kind, "/chat", ["a", *values, *foreign], ident)  # type: ignore[list-item]
    messages = codec.encoder_5.encode(packet)
    decoder = codec.make_decoder_5()
    *incomplete, whole = [decoder.feed(message) for message in messages]
    assert not any(incomplete)
    assert whole is not None
    assert (whole.namespace, whole.id) == ("/chat", ident)
    assert whole.data == ["a", *values, *["1j"] * has_default]
    assert PLAIN_OF.get(whole.type, whole.type) is kind
    sent = codec.encoder.encode(packet)
    assert [*codec.as_5(sent)] == messages if codec.as_5 else sent == messages


@pytest.mark.parametrize("is_for_4", [False, True])
def test_attachments_of_both_kinds_of_clients_are_limited(is_for_4: bool) -> None:
    codec = find_codec(None, 2)
    decoder = (codec.make_decoder_5 if is_for_4 else codec.make_decoder)()
    assert decoder.feed('52-["x"]') is None
    other = (codec.make_decoder_5 if is_for_4 else codec.make_decoder)()
    with pytest.raises(RemoteProtocolError, match="3, but max_attachments is 2"):
        other.feed('53-["x"]')


@pytest.mark.parametrize(
    ("parser", "refused"), [(None, "0[]"), ("msgpack", '{"type":0,"nsp":"/"}')]
)
def test_clients_of_socketio_4_are_judged_by_their_own_rules(
    parser: str | None, refused: str
) -> None:
    codec = find_codec(parser, 10)
    assert codec.make_decoder().feed(refused)
    with pytest.raises(RemoteProtocolError):
        codec.make_decoder_5().feed(refused)
