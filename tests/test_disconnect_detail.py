"""What is said of an end."""

from trio_sio.disconnect import DisconnectDetail, DisconnectReason, Explanation

REASON = DisconnectReason.TRANSPORT_ERROR


def test_an_explanation_names_the_option() -> None:
    assert str(Explanation("too much", "max_outbox", 1, 2)) == "too much (max_outbox)"
    assert str(Explanation("broken")) == "broken"


def test_a_detail_has_the_reason_and_all_that_was_said() -> None:
    detail = DisconnectDetail.of(REASON, Explanation("too much", "max_outbox", 1, 2), 3.5)
    assert detail == DisconnectDetail(REASON, "too much", "max_outbox", 1, 2, 3.5)
    assert str(detail) == "transport error: too much (max_outbox)"


def test_where_nothing_was_said_the_reason_is_all_there_is() -> None:
    detail = DisconnectDetail.of(REASON, None, 3.5)
    assert detail == DisconnectDetail(REASON, "", "", None, None, 3.5)
    assert str(detail) == "transport error"


def test_our_own_share_is_told_besides() -> None:
    held = "our own event loop was held for 3.25 s meanwhile"
    detail = DisconnectDetail.of(REASON, None, 3.5, 3.2468)
    assert detail.stalled == 3.2468
    assert str(detail) == f"transport error: {held}"
    detail = DisconnectDetail.of(REASON, Explanation("too much", "max_outbox"), 3.5, 3.2468)
    assert str(detail) == f"transport error: too much (max_outbox): {held}"
