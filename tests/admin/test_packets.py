"""Packets, as an operator sees them: cut, and without what may be secret."""

import pytest

from trio_sio.admin.packets import KEPT, PacketFeed, Seen, SessionTap, row
from trio_sio.protocol.encoded import Encoded
from trio_sio.protocol.engineio.packet import EnginePacket, EnginePacketType

MESSAGE = EnginePacketType.MESSAGE


def shown(kind: EnginePacketType, data: str | None, size: int = 0) -> tuple[object, object]:
    told = row(Seen(0.0, 1, "websocket", True, kind, data, size))
    return told["kind"], told["text"]


@pytest.mark.parametrize(
    ("data", "kind", "text"),
    [
        ('2["news",1]', "EVENT", '["news",1]'),
        ('2/chat,7["news",1]', "EVENT", '/chat 7["news",1]'),
        ('51-/chat,["news",{"_placeholder":true,"num":0}]', "BINARY_EVENT", None),
        ("0/chat?token=secret&room=2,", "CONNECT", "/chat?token=…&room=…"),
        ("0/chat?token=secret", "CONNECT", "/chat?token=…"),
        ('0{"sid":"a","pid":"secret"}', "CONNECT", '{"sid":"a","pid":"…"}'),
        ('0/chat,{"pid":"secret"}', "CONNECT", '/chat {"pid":"…"}'),
        ("1/chat", "DISCONNECT", "/chat"),
        ("3/chat,7[]", "ACK", "/chat 7[]"),
        ("", "MESSAGE", ""),
        ("hello", "MESSAGE", "hello"),
        ("2\x1b[31m", "EVENT", r"\x1b[31m"),
        ('{"nsp":"/chat?token=secret&room=2"}', "MESSAGE", '{"nsp":"/chat?token=…&room=…"}'),
    ],
)
def test_messages(data: str, kind: str, text: str | None) -> None:
    told = shown(MESSAGE, data)
    assert told[0] == kind
    if text is not None:
        assert told[1] == text
    assert "secret" not in str(told)


def test_others() -> None:
    assert shown(MESSAGE, None, 1234) == ("MESSAGE", "1,234 bytes")
    assert shown(EnginePacketType.PING, "probe") == ("PING", "probe")
    sid = "pMx0aBcDeFgHiJkLmNoP"
    assert shown(EnginePacketType.OPEN, f'{{"sid":"{sid}","upgrades":[]}}') == (
        "OPEN",
        '{"sid":"pMx0aB…","upgrades":[]}',
    )


def test_a_long_one_is_cut() -> None:
    assert len(str(shown(MESSAGE, "2" + "x" * 10_000)[1])) == 201


def tap(*feeds: PacketFeed) -> SessionTap:
    return SessionTap(1, "/admin", [*feeds])


@pytest.mark.parametrize(
    ("data", "is_shown"),
    [
        ('2/admin,["state"]', False),
        ('2/admin,9["sort"]', False),
        ("0/admin", False),
        ("0/admin?token=x,", False),
        ('2/admins,["state"]', True),
        ('2["/admin,"]', True),
        ("0", True),
    ],
)
def test_packets_of_the_view_are_not_taken(data: str, is_shown: bool) -> None:
    feed = PacketFeed()
    tap(feed).incoming("websocket", EnginePacket(MESSAGE, data))
    tap(feed).outgoing("websocket", [Encoded.of(data)])
    assert feed.take() == ([], 0) or is_shown
    tap(feed).incoming("websocket", EnginePacket(MESSAGE, data))
    assert len(feed.take()[0]) == is_shown


def test_text_and_binary() -> None:
    feed = PacketFeed()
    taken = tap(feed)
    taken.outgoing("polling", [Encoded.of("hello"), Encoded.of(b"\x00\x01")])
    taken.incoming("polling", EnginePacket(EnginePacketType.PING, ""))
    packets, missed = feed.take()
    assert [(one.is_incoming, one.kind, one.data, one.size) for one in packets] == [
        (False, MESSAGE, "hello", 5),
        (False, MESSAGE, None, 2),
        (True, EnginePacketType.PING, "", 0),
    ]
    assert missed == 0


def test_a_full_feed_only_counts_and_others_go_on() -> None:
    slow, quick = PacketFeed(), PacketFeed()
    taken = tap(slow, quick)
    for _ in range(KEPT + 7):
        taken.incoming("websocket", EnginePacket(MESSAGE, "x"))
        quick.take()
    packets, missed = slow.take()
    assert (len(packets), missed) == (KEPT, 7)
    assert quick.take() == ([], 0)
    assert slow.take() == ([], 0)


def test_one_session() -> None:
    feed = PacketFeed()
    feed.watch(2)
    tap(feed).incoming("websocket", EnginePacket(MESSAGE, "x"))
    assert feed.take() == ([], 0)
    feed.watch(1)
    tap(feed).incoming("websocket", EnginePacket(MESSAGE, "x"))
    assert len(feed.take()[0]) == 1


def test_only_the_beginning_of_a_packet_is_kept() -> None:
    feed = PacketFeed()
    tap(feed).incoming("websocket", EnginePacket(MESSAGE, "x" * 100_000))
    ((packet,), _) = feed.take()
    assert packet.data is not None
    assert (len(packet.data), packet.size) == (600, 100_000)
