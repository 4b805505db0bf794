"""A response for a request that is held goes at once where that can be, or by the task."""

import pytest

from trio_sio.engine.http.holding import HeldResponse
from trio_sio.http import Response

RESPONSE = Response(200, [], b"ok")


@pytest.mark.parametrize("sends", [True, False, None])
def test_a_response_goes_at_once_or_by_the_task(sends: bool | None) -> None:
    sent: list[Response] = []
    woken: list[bool] = []

    def send(response: Response) -> bool:
        sent.append(response)
        return bool(sends)

    held = HeldResponse()
    held.begin(lambda: woken.append(True), None if sends is None else send)
    assert not held.is_over
    held.set(RESPONSE)
    assert held.is_over
    assert sent == ([] if sends is None else [RESPONSE])
    assert held.is_sent is bool(sends)
    assert held.response is (None if sends else RESPONSE)
    assert woken == ([] if sends else [True])


async def test_what_cannot_be_sent_is_the_tasks() -> None:
    woken: list[bool] = []

    def send(response: Response) -> bool:
        raise ValueError(response.status)

    held = HeldResponse()
    held.begin(lambda: woken.append(True), send)
    held.set(RESPONSE)
    assert (held.is_sent, held.response, woken) == (False, RESPONSE, [True])


def test_a_task_may_be_woken_without_a_response() -> None:
    woken: list[bool] = []
    held = HeldResponse()
    held.begin(lambda: woken.append(True), lambda _: pytest.fail("there is nothing to send"))
    held.release()
    assert (held.is_over, held.is_sent, held.response, woken) == (True, False, None, [True])


def test_a_response_may_come_before_the_request_is_held() -> None:
    held = HeldResponse()
    held.set(RESPONSE)
    assert (held.is_over, held.is_sent, held.response) == (True, False, RESPONSE)
