"""Why sockets leave, over polling: what is done, what handlers hear, what polls and POSTs get."""

import json

import trio

from tests.api.watched import Watched
from tests.support.peers import served
from tests.support.raw import Raw, RawPolling, raw
from tests.support.refusals import told
from tests.support.servers import MakeServer

ALL = ("/", "/admin")
OK = (200, b"ok")
CLOSE = (200, b"1:1")
UNKNOWN = (400, told(b'{"code":1,"message":"Session ID unknown"}'))


async def in_both(wire: Raw, watched: Watched) -> RawPolling:
    """A session that polls and is in "/" and "/admin", with no GET under way."""
    polling = await wire.polling()
    assert await polling.post(b"9:40/admin,") == OK
    assert await polling.get() == (200, b"9:40/admin,")
    await watched.came(*ALL)
    return polling


async def test_the_client_leaves_one_namespace(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b"9:41/admin,") == OK
        await watched.all_left("client namespace disconnect", "/admin")
        assert not held.is_answered
        await watched.sockets["/"].emit("still here")
        assert await held.answer() == (200, b'16:42["still here"]')


async def test_the_server_shows_it_out_of_one_namespace(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        await watched.sockets["/"].disconnect()
        assert await held.answer() == (200, b"2:41")
        await watched.all_left("server namespace disconnect", "/")
        assert watched.sockets["/admin"].connected


async def test_the_server_closes_the_connection_between_two_polls(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        await watched.sockets["/admin"].disconnect(close=True)
        await watched.all_left("server namespace disconnect", *ALL)
        assert await polling.get() == (200, b"2:419:41/admin,")
        assert await polling.get() == (200, b"1:61:1")
        assert await polling.get() == UNKNOWN


async def test_the_server_closes_the_connection_while_a_poll_is_held(
    make_server: MakeServer,
) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        await watched.sockets["/"].disconnect(close=True)
        await watched.all_left("server namespace disconnect", *ALL)
        body = (await held.answer())[1]
        while not body.endswith(b"1:61:1"):  # how much each poll brings is a matter of moments
            body += (await polling.get())[1]
        assert body == b"2:419:41/admin,1:61:1"
        assert await polling.get() == UNKNOWN


async def test_the_client_says_goodbye(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b"1:1") == OK
        assert await held.answer() == (200, b"1:6")
        await watched.all_left("transport close", *ALL)
        assert await polling.get() == await polling.post(b"1:2") == UNKNOWN


async def test_a_poll_that_is_aborted(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        stream = await wire.connect()
        await stream.send_all(f"GET {polling.target} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        while not watched.session.writable:  # noqa: ASYNC110 - nobody tells of a poll
            await trio.sleep(0.005)
        await stream.aclose()
        await watched.all_left("transport error", *ALL)


async def test_a_post_that_is_aborted(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        stream = await wire.connect()
        head = f"POST {polling.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n5:42"
        await stream.send_all(head.encode())
        await stream.aclose()
        await watched.all_left("transport error", *ALL)


async def test_two_polls_at_once(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert (await polling.get())[0] == 500
        await watched.all_left("transport error", *ALL)
        assert await held.answer() == CLOSE
        assert await polling.get() == UNKNOWN


async def test_two_posts_at_once(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        stream = await wire.connect()
        head = f"POST {polling.target} HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n5:42"
        await stream.send_all(head.encode())
        while (await polling.post(b"1:2"))[0] == 200:  # until the other has come
            pass
        await watched.all_left("transport error", *ALL)


async def test_a_payload_that_is_none(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b"nonsense") == OK
        assert await held.answer() == CLOSE
        await watched.all_left("parse error", *ALL)
        assert await polling.get() == UNKNOWN


async def test_a_body_that_is_too_big(make_server: MakeServer) -> None:
    """The reference cuts the connection; here the client is told."""
    watched = Watched(make_server(max_http_buffer_size=1000))
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        status, body = await polling.post(b"2000:4" + b"x" * 1999)
        assert status == 413
        assert b"1000 are allowed (max_http_buffer_size)" in body
        assert await held.answer() == CLOSE
        await watched.all_left("transport error", *ALL)


async def test_silence(make_server: MakeServer) -> None:
    """A held GET is no sign of life."""
    watched = Watched(make_server(ping_interval=0.2, ping_timeout=0.3))
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await held.answer() == CLOSE
        await watched.all_left("ping timeout", *ALL)
        assert await polling.get() == UNKNOWN


async def test_a_packet_that_cannot_be_decoded(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        assert await polling.post(b'7:42["x",') == OK
        assert await held.answer() == CLOSE
        await watched.all_left("forced close", *ALL, error="invalid payload")


async def test_the_session_is_closed(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        watched.session.close()
        assert await held.answer() == CLOSE
        await watched.all_left("forced close", *ALL)


async def test_the_session_is_closed_between_two_polls(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        await watched.sockets["/"].emit("last", {"words": True})
        watched.session.close()
        assert await polling.post(b"1:2") == OK  # and it is ignored
        words = json.dumps(["last", {"words": True}], separators=(",", ":"))
        assert await polling.get() == (200, f"{len(words) + 2}:42{words}".encode())
        assert await polling.get() == (200, b"1:61:1")
        assert await polling.get() == UNKNOWN


async def test_the_server_closes(make_server: MakeServer) -> None:
    watched = Watched(make_server())
    async with served(watched.io) as url, raw(url) as wire, trio.open_nursery() as nursery:
        polling = await in_both(wire, watched)
        held = await polling.hold(nursery, watched.session)
        await watched.io.aclose()
        assert await held.answer() == CLOSE
        await watched.all_left("server shutting down", *ALL)


async def test_a_client_that_does_not_poll(make_server: MakeServer) -> None:
    watched = Watched(make_server(max_outbox=4))
    async with served(watched.io) as url, raw(url) as wire:
        polling = await in_both(wire, watched)
        for number in range(5):
            await watched.io.emit("flood", number)
        await watched.all_left("slow consumer", *ALL)
        assert await polling.get() == UNKNOWN
