"""What went when, as far back as the transcript reaches."""

import trio

from trio_sio.testing.network.transcript import Transcript


async def test_lines_have_times_and_an_end(autojump_clock: trio.abc.Clock) -> None:
    await trio.sleep(5)
    transcript = Transcript(limit=3)
    for number in range(5):
        transcript.tell("client 1", f"says {number}")
        await trio.sleep(0.5)
    assert str(transcript).splitlines() == transcript.lines
    assert transcript.lines == [f"{n / 2:10.4f} client 1 says {n}" for n in (2, 3, 4)]
    assert transcript.tail(1) == "    2.0000 client 1 says 4"
    assert transcript.elapsed(6) == 1


async def test_lines_are_not_too_long(autojump_clock: trio.abc.Clock) -> None:
    transcript = Transcript()
    transcript.tell("client 1", "x" * 1000)
    assert len(transcript.lines[0]) == 200
