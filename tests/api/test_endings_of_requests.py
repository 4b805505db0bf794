"""Why sockets leave, over polling: what requests get that are under way, or come afterwards.

Reasons and wire together; `test_endings_polling.py` has the ordinary case of each reason.
"""

import contextlib

import pytest
import trio

import trio_sio
from tests.api.watched import Watched
from tests.support.peers import served
from tests.support.raw import Raw, RawPolling, raw
from tests.support.refusals import told
from tests.support.servers import MakeServer

ALL = ("/", "/admin")
OK = (200, b"ok")
CLOSE = (200, b"1:1")
LAST_POLL = (200, b"1:61:1")
UNKNOWN = (400, told(b'{"code":1,"message":"Session ID unknown"}'))
POST = "POST {} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\nExpect: 100-continue\r\n\r\n"


async def in_both(wire: Raw, watched: Watched) -> RawPolling:
    """A session that polls and is in "/" and "/admin", with no GET under way."""
    polling = await wire.polling()
    assert await polling.post(b"9:40/admin,") == OK
    assert await polling.get() == (200, b"9:40/admin,")
    await watched.came(*ALL)
    return polling


async def under_way(wire: Raw, polling: RawPolling) -> trio.SocketStream:
    """A POST that has begun: the server waits for the rest of its body."""
    stream = await wire.connect()
    await stream.send_all(POST.format(polling.target).encode())
    assert (await stream.receive_some()).startswith(b"HTTP/1.1 100 ")
    await stream.send_all(b"7:42[")
    return stream


# -- what the client does ------------------------------------------------------------------------


async def test_the_client_leaves_the_root_and_stays_elsewhere(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b"2:41") == OK
        await watched.all_left("client namespace disconnect", "/")
        assert not held.is_answered
        await watched.sockets["/admin"].emit("still here")
        assert await held.answer() == (200, b'23:42/admin,["still here"]')


async def test_goodbye_between_two_polls(make_server: MakeServer) -> None:
    """Whoever says goodbye is not told in turn, and what stands behind it does not count."""
    watched = Watched(make_server())
    watched.io.on("say", lambda socket: pytest.fail("this came after the end"))
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        assert await polling.post(b'1:19:42["say"]') == OK
        await watched.all_left("transport close", *ALL)
        assert await polling.get() == UNKNOWN


async def test_disconnect_and_goodbye_in_two_posts(make_server: MakeServer) -> None:
    """That is how the JavaScript client takes its leave."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await wire.polling()
        await watched.came("/")
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b"2:41") == OK
        assert await polling.post(b"1:1") == OK
        assert await held.answer() == (200, b"1:6")
        await watched.all_left("client namespace disconnect", "/")
        assert watched.session.reason == "transport close"


async def test_a_post_that_is_aborted_while_a_poll_is_held(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        await (await under_way(wire, polling)).aclose()
        assert await held.answer() == CLOSE
        await watched.all_left("transport error", *ALL)
        assert await polling.get() == UNKNOWN


async def test_two_posts_at_once_while_a_poll_is_held(make_server: MakeServer) -> None:
    """The second is refused, the first is dropped, and the poll is told."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        first = await under_way(wire, polling)
        assert await polling.post(b"1:2") == (500, b"")
        assert await held.answer() == CLOSE
        await watched.all_left("transport error", *ALL)
        answer = b""
        with contextlib.suppress(trio.BrokenResourceError):
            await first.send_all(b'"x"]')
            answer = bytes(await first.receive_some())
        assert answer == b""  # it was cut off
        assert await polling.get() == await polling.post(b"1:2") == UNKNOWN


async def test_the_second_of_two_polls_is_refused_without_a_word(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.get() == (500, b"")
        assert await held.answer() == CLOSE
        await watched.all_left("transport error", *ALL)


async def test_a_poll_and_a_post_at_once_are_no_misuse(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        first = await under_way(wire, polling)
        await watched.sockets["/"].emit("hello")
        assert await held.answer() == (200, b'11:42["hello"]')
        await first.send_all(b'"x"]')
        assert (await first.receive_some()).startswith(b"HTTP/1.1 200 OK\r\n")
        assert watched.order == []


@pytest.mark.parametrize(
    "body",
    [b"", b":4", b"1:2x", b"-1:2", b"5:4abc", b"x:2", b"1:7", b"2:xx"],
)
async def test_payloads_that_are_none(body: bytes, make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        assert await polling.post(body) == OK
        await watched.all_left("parse error", *ALL)
        assert await polling.get() == UNKNOWN


async def test_a_binary_payload_that_is_none(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    octets = {"Content-Type": "application/octet-stream"}
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        response = await wire.post(polling.target, b"\x00\x03no length here", octets)
        assert (response.status, response.body) == OK
        assert await held.answer() == CLOSE
        await watched.all_left("parse error", *ALL)


async def test_what_stands_before_a_broken_packet_counts(make_server: MakeServer) -> None:
    """The ping is answered; the event, which the reference loses, is handled."""
    watched = Watched(make_server())
    heard: list[str] = []
    watched.io.on("say", lambda socket, word: heard.append(word))
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await wire.polling()
        await watched.came("/")
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b'14:42["say","hi"]1:2x') == OK
        assert await held.answer() == (200, b"1:3")
        await watched.all_left("parse error", "/")
        assert await polling.get() == UNKNOWN
    assert heard == ["hi"]


async def test_a_body_that_is_too_big_between_two_polls(make_server: MakeServer) -> None:
    watched = Watched(make_server(max_http_buffer_size=100))
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        exactly = b"97:4" + b"4" * 96
        assert len(exactly) == 100
        assert (await polling.post(exactly + b"1:2"))[0] == 413
        await watched.all_left("transport error", *ALL)
        assert await polling.get() == UNKNOWN


async def test_silence_between_two_polls(make_server: MakeServer) -> None:
    """There is nobody to tell."""
    watched = Watched(make_server(ping_interval=0.1, ping_timeout=0.2))
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        await watched.all_left("ping timeout", *ALL)
        assert await polling.get() == UNKNOWN


async def test_a_packet_that_cannot_be_decoded_between_two_polls(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        assert await polling.post(b'7:42["x",') == OK
        assert await polling.post(b"1:2") == OK  # and it is ignored
        assert await polling.get() == LAST_POLL
        await watched.all_left("forced close", *ALL, error="invalid payload")
        assert await polling.get() == UNKNOWN


# -- what the server does ------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "packet"), [("/", b"2:41"), ("/admin", b"9:41/admin,")])
@pytest.mark.parametrize("is_held", [True, False])
async def test_the_server_shows_it_out_of_either(
    name: str, packet: bytes, is_held: bool, make_server: MakeServer
) -> None:
    """The same on the poll that is held and on the next; the connection stays."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session) if is_held else None
        await watched.sockets[name].disconnect()
        await watched.all_left("server namespace disconnect", name)
        assert await (held.answer() if held else polling.get()) == (200, packet)
        assert await polling.post(b"1:2") == OK
        assert await polling.get() == (200, b"1:3")


async def test_the_session_is_closed_and_nothing_was_queued(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        watched.session.close()
        assert await polling.post(b"2:41") == OK  # and it is ignored
        assert await polling.get() == LAST_POLL
        await watched.all_left("forced close", *ALL)
        assert await polling.get() == await polling.post(b"1:2") == UNKNOWN


async def test_nothing_can_be_sent_once_the_session_is_being_closed(
    make_server: MakeServer,
) -> None:
    """And what the client would say is not heard: it has got its last poll, and no more."""
    watched = Watched(make_server())
    watched.io.on("say", lambda socket: pytest.fail("this came after the end"))
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        watched.session.close()
        with pytest.raises(trio_sio.Disconnected):
            watched.session.send_nowait('2["late"]')
        await watched.io.emit("late")
        assert await polling.post(b'9:42["say"]') == OK
        assert await polling.get() == LAST_POLL


async def test_the_server_closes_between_two_polls(make_server: MakeServer) -> None:
    """It waits for no poll; its handlers run, and the next poll learns that nobody is here."""
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        await watched.io.aclose()
        await watched.all_left("server shutting down", *ALL)
        assert await polling.get() == (503, b"the server is shutting down\n")


async def test_a_middleware_that_fails_costs_nobody_else_anything(make_server: MakeServer) -> None:
    """The reference ends the whole connection; here the namespace is refused and no more."""
    io = make_server(raise_errors=False)
    watched = Watched(io)

    @io.of("/broken").use
    async def fail(socket: trio_sio.Socket) -> None:
        raise ZeroDivisionError

    async with served(io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        assert await polling.post(b"10:40/broken,") == OK
        assert await polling.get() == (200, b'33:44/broken,"Internal server error"')
        assert await polling.post(b"1:2") == OK
        assert await polling.get() == (200, b"1:3")
        assert watched.order == []
