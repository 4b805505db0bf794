"""What the application tells its operators."""

import pytest
from trio.testing import MockClock

import trio_sio
from trio_sio.admin import Admin, Notes
from trio_sio.admin.notes import KEPT_NOTES, MAX_NOTE
from trio_sio.testing import connect


def test_the_latest_come_first_and_no_more_are_kept() -> None:
    notes = Notes()
    for number in range(KEPT_NOTES + 2):
        notes.add(f"note {number}")
    rows = notes.rows()
    assert len(rows) == KEPT_NOTES
    assert rows[0]["text"] == f"note {KEPT_NOTES + 1}"
    assert [row["number"] for row in rows] == list(range(KEPT_NOTES + 2, 2, -1))


def test_a_note_is_cut_and_printable() -> None:
    notes = Notes()
    notes.add("\ud800\n" + "x" * 1000)
    text = str(notes.rows()[0]["text"])
    assert "\ud800" not in text
    assert "\n" not in text
    assert text.endswith("…")
    assert text.count("x") <= MAX_NOTE
    with pytest.raises(TypeError, match="a note is a text, not 5"):
        notes.add(5)  # type: ignore[arg-type]


async def test_a_page_gets_them_and_so_does_that_of_the_next_server(
    autojump_clock: MockClock,
) -> None:
    notes = Notes()
    for number in (1, 2):
        io = trio_sio.Server()
        view = Admin(io, check=lambda socket: True, notes=notes)
        view.notes.add(f"from server {number}")
        async with connect(io, "/admin") as page:
            event = None
            while event != "state":
                event, state = await page.receive()
            texts = [note["text"] for note in state["notes"]]
            assert texts == [f"from server {one}" for one in range(number, 0, -1)]
