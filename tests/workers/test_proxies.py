"""Workers behind real proxies, with the configurations that the documentation has."""

import re
import signal
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio

from tests.support.peers import POLLING, UPGRADING, WEBSOCKET, Kind, peer
from tests.support.proxies import configuration, proxy
from tests.support.raw import Raw, raw
from tests.support.worker_program import Program, program

pytestmark = pytest.mark.slow

BY_NODE_ID = [
    pytest.param("nginx.conf", marks=pytest.mark.nginx),
    pytest.param("haproxy.cfg", marks=pytest.mark.haproxy),
]
BY_ADDRESS = pytest.param("nginx_by_address.conf", marks=pytest.mark.nginx)
BY_COOKIE = pytest.param("haproxy_by_cookie.cfg", marks=pytest.mark.haproxy)

AFFINITY = "send all requests of a session to the same node (session affinity)"


HANDSHAKE = "/socket.io/?EIO=3&transport=polling"


def without_affinity(text: str) -> str:
    """The same configuration, as it is written by whoever has not heard of affinity."""
    text = re.sub(r" +~\^w\d.*\n", "", text)
    return re.sub(r" +use-server .*\n", "", text).replace("leastconn", "roundrobin")


@asynccontextmanager
async def behind(text: str, **options: object) -> AsyncIterator[tuple[Program, str]]:
    """Two workers, and the URL of the proxy before them; options are as for `program`."""
    async with program(workers=2, private=0, **options) as running:
        await running.serving()
        ports = [running.private[number] for number in (1, 2)]
        async with proxy(text, ports) as url:
            yield running, url


@pytest.mark.node
@pytest.mark.parametrize("kind", [POLLING, UPGRADING, WEBSOCKET], ids=str)
@pytest.mark.parametrize("name", [*BY_NODE_ID, BY_ADDRESS])
async def test_real_clients_stay_with_their_worker(name: str, kind: Kind) -> None:
    async with behind(configuration(name)) as (running, url), peer() as process:
        clients = [await process.connect(url, **kind.options) for _ in range(12)]
        if kind is UPGRADING:
            for client in clients:
                await client.hear("upgrade")
        by = [(await client.call("who"))[0] for client in clients]
        for _ in range(5):
            assert [(await client.call("who"))[0] for client in clients] == by
        assert len({number for number, _ in by}) == (1 if name == "nginx_by_address.conf" else 2)
        assert AFFINITY not in running.log


@pytest.mark.node
@pytest.mark.haproxy
async def test_real_clients_that_keep_no_cookies_need_a_websocket() -> None:
    text = configuration("haproxy_by_cookie.cfg")
    async with behind(text) as (running, url), peer() as process:
        clients = [await process.connect(url, **WEBSOCKET.options) for _ in range(12)]
        by = [(await client.call("who"))[0] for client in clients]
        assert {number for number, _ in by} == {1, 2}
        assert AFFINITY not in running.log


class Session:
    """A session that polls, each time on a new connection, and keeps cookies as browsers do."""

    def __init__(self, wire: Raw) -> None:
        self._wire = wire
        self._cookies: dict[str, str] = {}
        self._target = HANDSHAKE
        self.node = ""

    async def request(self, method: str, body: bytes = b"") -> bytes:
        """Send a request, which must succeed; return the body of the response."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        fields = {"Cookie": cookies} if cookies else {}
        response = await self._wire.request(method, self._target, fields, body)
        assert response.status == 200, response.body
        for name, value in response.headers:
            if name == "set-cookie":
                key, _, rest = value.partition("=")
                self._cookies[key] = rest.partition(";")[0]
        return bytes(response.body)

    async def run(self) -> None:
        """Begin, and exchange a few events."""
        opened = await self.request("GET")
        sid = opened.partition(b'"sid":"')[2].partition(b'"')[0].decode()
        self._target += f"&sid={sid}"
        self.node = sid.partition(".")[0]
        for number in range(3):
            assert await self.request("POST", b'11:42%d["who"]' % (10 + number)) == b"ok"
            answer = await self.request("GET")
            assert b"43%d[[%s," % (10 + number, self.node[1:].encode()) in answer


@pytest.mark.parametrize("name", [*BY_NODE_ID, BY_ADDRESS, BY_COOKIE])
async def test_clients_by_the_hundred(name: str) -> None:
    async with behind(configuration(name)) as (running, url), raw(url) as wire:
        sessions = [Session(wire) for _ in range(200)]
        async with trio.open_nursery() as nursery:
            for session in sessions:
                nursery.start_soon(session.run)
        nodes = Counter(session.node for session in sessions)
        assert len(nodes) == (1 if name == "nginx_by_address.conf" else 2), nodes
        assert AFFINITY not in running.log


@pytest.mark.parametrize("name", BY_NODE_ID)
async def test_without_affinity_the_answer_and_the_log_say_what_is_missing(name: str) -> None:
    text = without_affinity(configuration(name))
    assert text != configuration(name)
    async with behind(text) as (running, url), raw(url) as wire:
        target, _ = await wire.handshake()
        answers = [await wire.post(target, b"1:2") for _ in range(20)]
        refused = [answer for answer in answers if answer.status == 400]
        assert refused
        assert all(AFFINITY.encode() in answer.body for answer in refused)
        await running.wait_log(AFFINITY)


@pytest.mark.parametrize("name", BY_NODE_ID)
async def test_a_session_whose_worker_is_gone_can_begin_anew(name: str) -> None:
    async with behind(configuration(name)) as (running, url), raw(url) as wire:
        target, _ = await wire.handshake()
        lost = target.replace("&sid=w1.", "&sid=w2.")  # as if that had been restarted
        answer = await wire.get(lost if lost != target else target.replace("&sid=w2.", "&sid=w1."))
        assert answer.status == 400
        assert b"has been restarted" in answer.body
        await wire.handshake()
        assert AFFINITY not in running.log


@pytest.mark.parametrize("name", BY_NODE_ID)
async def test_new_clients_do_not_notice_that_a_worker_drains(name: str) -> None:
    async with behind(configuration(name), grace=60.0) as (running, url), raw(url) as wire:
        ports = [f"http://127.0.0.1:{running.private[number]}" for number in (1, 2)]
        async with raw(ports[0]) as first:
            websocket = await first.joined()
            await websocket.send('420["work",1000]')  # so its drain goes on for a while
            assert await websocket.receive() == '42["working"]'
            running.signal(signal.SIGHUP)
            while (await first.get(HANDSHAKE)).status != 503:
                pass
            for _ in range(40):
                target, _ = await wire.handshake()
                assert "&sid=w2." in target
        for log in ("SIGTERM: ending", "SIGTERM: ending at once"):  # no need to wait for it
            running.signal(signal.SIGTERM)
            await running.wait_log(log)
        assert await running.wait() == 0
