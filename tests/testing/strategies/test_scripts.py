"""Scripts: all kinds of steps are drawn, and what fails is made simple."""

import pytest
from hypothesis import given, settings, strategies as st

from tests.support.examples import examples
from trio_sio.testing import strategies as sio
from trio_sio.testing.scripts import (
    Frame,
    Leave,
    Post,
    Probe,
    Request,
    Script,
    Send,
    Step,
    Upgrade,
)
from trio_sio.testing.strategies.vocabulary import says_of

PROTOCOLS = (4, 5)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@examples(40)
@given(data=st.data())
def test_scripts(protocol: int, data: st.DataObject) -> None:
    script = data.draw(sio.scripts(protocol=protocol))
    assert script.steps
    assert set(script.transports) <= set(says_of(protocol).transports)
    if protocol == 5:  # nobody is anywhere unasked
        firsts = script.steps[: len(script.transports)]
        begun = [(one.client, one.packets[0]) for one in firsts if isinstance(one, Send)]
        assert [number for number, text in begun if str(text).startswith("40")] == [
            *range(len(script.transports))
        ]
    for step in script.steps:
        match step:
            case Request() | Probe():
                continue
            case Post() | Upgrade():
                assert script.transports[step.client].startswith("polling")
            case Frame():
                assert script.transports[step.client].startswith("websocket")
        assert step.client < len(script.transports)


@pytest.mark.parametrize(
    ("protocol", "packets"),
    [
        (4, {"41/chat", '42["echo"]', b"\x02probe"}),
        (5, {"41/chat", '42["echo"]', '40/private,{"token":"secret"}', "40/nobody,", b""}),
    ],
)
def test_all_kinds_of_steps_are_drawn(protocol: int, packets: set[str | bytes]) -> None:
    kinds: set[type[Step]] = set()
    said: set[str | bytes] = set()

    @settings(max_examples=300, derandomize=True, database=None, deadline=None)
    @given(sio.scripts(protocol=protocol))
    def look(script: Script) -> None:
        kinds.update(type(step) for step in script.steps)
        for step in script.steps:
            if isinstance(step, Send):
                said.update(step.packets)

    look()
    assert kinds == {Send, Post, Frame, Upgrade, Request, Probe, Leave}
    assert said >= packets
