"""What is heard has no ids and no order but that which is promised."""

import pytest

from trio_sio.conformance.comparison.heard import Heard, described, hide, socketio_head, sort
from trio_sio.http import Headers
from trio_sio.testing.wire import PacketText
from trio_sio.testing.wire_http import WireResponse

PH = '{"_placeholder":true,"num":0}'


@pytest.mark.parametrize(
    ("packets", "heard"),
    [
        ([], {}),
        (["40", '42["a"]'], {"/": ["40", '42["a"]']}),
        # Namespaces have no common order, acknowledgements none at all.
        (
            ['42/chat,["b"]', "432[]", '42["a"]', "431[]", "43/chat,0[]"],
            {
                "/chat": ['42/chat,["b"]'],
                "/": ['42["a"]'],
                "acks": ["431[]", "432[]", "43/chat,0[]"],
            },
        ),
        # Attachments stay with their packet, whatever order that gets.
        (
            [f"461-2[{PH}]", b"\x04b", f"461-1[{PH}]", b"\x04a", f'451-["x",{PH}]', b"\x04c"],
            {
                "acks": [f"461-1[{PH}]", r"b'\x04a'", f"461-2[{PH}]", r"b'\x04b'"],
                "/": [f'451-["x",{PH}]', r"b'\x04c'"],
            },
        ),
        (["3", "1"], {"engine": ["3", "1"]}),
        (['0{"upgrades":[],"sid":"S"}'], {"engine": ['0{"sid": "<0>", "upgrades": []}']}),
        (['0{"sid":"unknown"}'], {"engine": ['0{"sid": "<new>"}']}),
        (["0{", "0[]", "0"], {"engine": ["0{", "0[]", "0"]}),
        # The ids of questions count what others were asked.
        (['42/chat,17["question"]'], {"/chat": ['42/chat,#["question"]']}),
        (["44/chat?a,"], {"/chat": ["44/chat?a,"]}),
        # Each socket of protocol 5 has an id by chance, which is not that of its session.
        (
            ['40{"sid":"x"}', '40/chat,{"sid":"S"}', '42["sid"]'],
            {"/": ['40{"sid":"<id>"}', '42["sid"]'], "/chat": ['40/chat,{"sid":"<0>"}']},
        ),
        (["47x", b"\x04"], {"engine": ["47x", r"b'\x04'"]}),
    ],
)
def test_sort(packets: list[PacketText], heard: Heard) -> None:
    assert sort(packets, {"S": "<0>"}) == heard


def test_a_query_makes_another_namespace_in_protocol_5() -> None:
    packets: list[PacketText] = ["44/chat?a,{}", "42/chat,[1]"]
    assert sort(packets, {}, 5) == {"/chat?a": ["44/chat?a,{}"], "/chat": ["42/chat,[1]"]}


def test_long_text_is_cut() -> None:
    assert hide("a" * 1000, {}) == f"{'a' * 300}... (1000)"


def test_no_packet_of_socketio() -> None:
    assert socketio_head("2probe") is None
    assert socketio_head(b"\x042") is None


def test_a_response() -> None:
    headers = Headers([("Date", "now"), ("Set-Cookie", "io=S"), ("Content-Type", "text/plain")])
    response = WireResponse(200, "OK", headers, b"S\xff")
    lines = ["status 200", "content-type: text/plain", "set-cookie: io=<0>", "<0>\\xff"]
    assert described(response, {"S": "<0>"}) == lines


def test_a_compressed_response() -> None:
    response = WireResponse(200, "OK", Headers([("Content-Encoding", "gzip")]), b"\x1f")
    assert described(response, {}) == ["status 200", "content-encoding: gzip"]
