"""A held GET is answered at once where that can be, and else by its task."""

import pytest

from trio_sio.engine.polling.held_poll import HeldPoll
from trio_sio.http import Response
from trio_sio.protocol.encoded import Encoded

ITEMS = [Encoded(("4a",)), Encoded(("4b",))]
RESPONSE = Response(200, [], b"4:4a4b")


@pytest.mark.parametrize("sends", [True, False, None])
def test_packets_go_at_once_or_by_the_task(sends: bool | None) -> None:
    answered: list[list[Encoded]] = []
    sent: list[Response] = []
    woken: list[bool] = []

    def respond(items: list[Encoded]) -> Response:
        answered.append(items)
        return RESPONSE

    def send(response: Response) -> bool:
        sent.append(response)
        return bool(sends)

    poll = HeldPoll(respond)
    poll.begin(lambda: woken.append(True), None if sends is None else send)
    assert not poll.is_over
    poll.end(ITEMS)
    assert poll.is_over
    assert not poll.is_refused
    assert answered == [ITEMS]
    assert sent == ([] if sends is None else [RESPONSE])
    assert poll.items == ([] if sends else ITEMS)
    assert poll.response is (None if sends else RESPONSE)
    assert woken == ([] if sends else [True])


def test_what_takes_long_to_make_is_the_tasks() -> None:
    woken: list[bool] = []
    poll = HeldPoll(lambda _: None)
    poll.begin(lambda: woken.append(True), lambda _: pytest.fail("there is nothing to send"))
    poll.end(ITEMS)
    assert (poll.is_over, poll.items, poll.response, woken) == (True, ITEMS, None, [True])


def test_a_refusal_is_the_tasks() -> None:
    woken: list[bool] = []
    poll = HeldPoll()
    poll.begin(lambda: woken.append(True), lambda _: pytest.fail("there is nothing to send"))
    poll.refuse()
    assert (poll.is_over, poll.is_refused, poll.items, woken) == (True, True, [], [True])
