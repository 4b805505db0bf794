"""The field Date."""

import re
import time
from email.utils import parsedate_to_datetime

import pytest

from trio_sio.engine.http.exchange import DateClock


def test_it_is_the_present_time_in_the_form_of_the_internet() -> None:
    before = int(time.time())
    date = DateClock().now()
    assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", date)
    assert before <= parsedate_to_datetime(date).timestamp() <= time.time()


def test_it_is_made_once_in_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([784111777.0, 784111777.2, 784111777.999, 784111778.0, 784111700.5])
    monkeypatch.setattr("time.time", lambda: next(seconds))
    clock = DateClock()
    first = clock.now()
    assert first == "Sun, 06 Nov 1994 08:49:37 GMT"
    assert clock.now() is first
    assert clock.now() is first
    assert clock.now() == "Sun, 06 Nov 1994 08:49:38 GMT"
    assert clock.now() == "Sun, 06 Nov 1994 08:48:20 GMT"  # the clock was set back
