"""A script is a value: what it shows is enough to play it again."""

from trio_sio.testing import scripts
from trio_sio.testing.scripts import ASKED, SID, Frame, Leave, Post, Probe, Request, Script, Send

SCRIPT = Script(
    ("polling", "websocket"),
    (
        Send(0, ('42["echo"]', b"\x04a", f"43{ASKED}[]")),
        Post(0, b"1:2", "text/plain"),
        Frame(1, 1, b"2", masked=False),
        Request("GET", f"EIO=3&transport=polling&sid={SID}", (("Origin", "http://a"),)),
        Probe(f"EIO=3&transport=websocket&sid={SID}", ("2probe",)),
        scripts.Upgrade(0, ("42[1]",)),
        Leave(1),
    ),
)


def test_what_a_script_shows_makes_it_again() -> None:
    assert eval(repr(SCRIPT), dict(vars(scripts))) == SCRIPT


def test_equal_scripts_are_one() -> None:
    assert len({SCRIPT, eval(repr(SCRIPT), dict(vars(scripts)))}) == 1
