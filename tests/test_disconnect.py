"""The strings that applications compare with, as in JavaScript."""

from trio_sio.disconnect import DisconnectReason

# Chapter 5.1 of the protocol reference; the last two are not socket.io 2.x's.
WORDS = {
    "TRANSPORT_CLOSE": "transport close",
    "TRANSPORT_ERROR": "transport error",
    "PING_TIMEOUT": "ping timeout",
    "PARSE_ERROR": "parse error",
    "FORCED_CLOSE": "forced close",
    "CLIENT_NAMESPACE_DISCONNECT": "client namespace disconnect",
    "SERVER_NAMESPACE_DISCONNECT": "server namespace disconnect",
    "SERVER_SHUTTING_DOWN": "server shutting down",
    "SLOW_CONSUMER": "slow consumer",
}


def test_reasons() -> None:
    assert {reason.name: reason.value for reason in DisconnectReason} == WORDS


def test_a_reason_is_its_string() -> None:
    text = "".join(("transport", " ", "close"))
    reason = DisconnectReason(text)
    assert reason is DisconnectReason.TRANSPORT_CLOSE
    assert reason == text
    assert f"gone: {reason}" == "gone: transport close"
    assert {"transport close": 1}[reason] == 1
