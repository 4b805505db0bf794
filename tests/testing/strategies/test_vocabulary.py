"""What clients say is written as they would write it, in each revision of the protocol."""

import pytest

from trio_sio.protocol.engineio import codec_v4
from trio_sio.protocol.errors import RemoteProtocolError
from trio_sio.protocol.socketio.decoder import Decoder, Decoder5
from trio_sio.protocol.socketio.packet import PacketType
from trio_sio.testing.strategies.vocabulary import SAYS_4, SAYS_5, Vocabulary, says_of

BOTH = [SAYS_4, SAYS_5]


@pytest.mark.parametrize("words", BOTH, ids=lambda words: str(words.protocol))
def test_each_revision_has_its_own(words: Vocabulary) -> None:
    assert says_of(words.protocol) is words
    assert words.own_upgrade == f"EIO={words.protocol - 1}&transport=websocket&sid={{sid}}"
    assert f"EIO={words.eio}" in words.versions
    assert ("polling-jsonp" in words.transports) is (words.protocol == 4)


@pytest.mark.parametrize("words", BOTH, ids=lambda words: str(words.protocol))
def test_joining_and_leaving_are_good_packets(words: Vocabulary) -> None:
    decoder = Decoder() if words.protocol == 4 else Decoder5()
    begun = {packet for packets in words.beginnings for packet in packets}
    for text in {*words.connects, *begun}:
        packet = decoder.feed(str(text)[1:])
        assert packet is not None, text
        assert packet.type in (PacketType.CONNECT, PacketType.DISCONNECT), text


def test_some_odd_packets_are_wrong_and_some_are_not() -> None:
    outcomes: set[bool] = set()
    for text in SAYS_5.odd:
        try:
            codec_v4.decode_text(text)
            if text[:1] == "4":
                Decoder5().feed(text[1:])
            outcomes.add(True)
        except RemoteProtocolError:
            outcomes.add(False)
    assert outcomes == {True, False}
