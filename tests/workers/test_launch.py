"""Programs with several workers, and real clients; and what `run` is not asked for in vain."""

import os
import signal
import threading
from collections import Counter
from pathlib import Path

import pytest
import trio

from tests.support.peers import WEBSOCKET, peer
from tests.support.raw import raw
from tests.support.worker_program import is_there, program, wait_gone
from trio_sio.workers import Worker, open_sockets, run

slow = pytest.mark.slow


async def serve(worker: Worker) -> None:
    raise AssertionError("nothing is started")


@pytest.mark.parametrize(
    ("arguments", "error", "text"),
    [
        ({"port": 0, "workers": 0}, ValueError, "workers must be at least 1 and at most 1000"),
        ({"port": 0, "workers": 1001}, ValueError, "not 1001"),
        ({"port": 0, "workers": True}, TypeError, "workers must be an int or None, not True"),
        ({"port": 0, "workers": 2.0}, TypeError, "workers must be an int"),
        ({"workers": 2}, TypeError, "need a port, sockets, or private listeners"),
        ({"port": -1}, ValueError, "port must be at least 0 and at most 65535, not -1"),
        ({"port": 65536}, ValueError, "not 65536"),
        ({"port": "3000"}, TypeError, "port must be a number or None, not '3000'"),
        ({"private": True}, TypeError, "private must be a number or None"),
        (
            {"private": 65533, "workers": 4},
            ValueError,
            "private must be at least 0 and at most 65532",
        ),
        ({"private": "/a/b", "workers": 2}, ValueError, "private must have {node} in the path"),
        ({"port": 0, "name": "w."}, ValueError, "name must be letters of ASCII"),
        ({"port": 0, "name": "w" * 32}, ValueError, "so few that a number fits behind them"),
        ({"port": 0, "name": 7}, ValueError, "name must be letters"),
        ({"port": 0, "stop_timeout": 0}, ValueError, "stop_timeout must be more than 0, not 0"),
        ({"port": 0, "stop_timeout": float("nan")}, ValueError, "stop_timeout must be more than 0"),
    ],
)
def test_arguments_that_are_not_allowed(
    arguments: dict[str, object], error: type[Exception], text: str
) -> None:
    with pytest.raises(error) as caught:
        run(serve, **{"workers": 1, **arguments})  # type: ignore[arg-type]  # that is the point
    assert text in str(caught.value)


def test_main_is_a_function() -> None:
    with pytest.raises(TypeError, match="main must be an async function, not None"):
        run(None, port=0, workers=1)  # type: ignore[arg-type]


def test_a_port_and_sockets() -> None:
    sockets = open_sockets(0, "127.0.0.1")
    with sockets[0], pytest.raises(TypeError, match="either a port or sockets"):
        run(serve, port=0, sockets=sockets, workers=1)


async def test_inside_of_an_event_loop() -> None:
    with pytest.raises(RuntimeError, match=r"call it outside of trio\.run"):
        run(serve, port=0, workers=1)


def test_beside_another_thread() -> None:
    done = threading.Event()
    thread = threading.Thread(target=done.wait, name="pool 1")
    thread.start()
    try:
        with pytest.raises(RuntimeError, match=r"threads do not survive; there are: .*pool 1"):
            run(serve, port=0, workers=1)
    finally:
        done.set()
        thread.join()


def test_in_another_thread() -> None:
    caught: list[Exception] = []

    def call() -> None:
        try:
            run(serve, port=0, workers=1)
        except RuntimeError as error:
            caught.append(error)

    thread = threading.Thread(target=call)
    thread.start()
    thread.join()
    assert "needs the main thread" in str(caught[0])


@slow
async def test_each_worker_is_a_process_with_a_node_id_of_its_own() -> None:
    async with program(workers=3, name="shop-") as running, raw(running.url) as wire:
        pids = await running.serving()
        assert sorted(pids) == [1, 2, 3]
        assert len({*pids.values(), running.process.pid, os.getpid()}) == 5
        nodes = Counter[str]()
        for _ in range(60):
            websocket = await wire.websocket()
            text = str(await websocket.receive())
            nodes[text.partition('"sid":"')[2].partition(".")[0]] += 1
        assert set(nodes) == {"shop-1", "shop-2", "shop-3"}


@slow
async def test_a_session_that_reaches_another_worker_is_told_so() -> None:
    async with program(workers=2) as running, raw(running.url) as wire:
        await running.serving()
        target, _ = await wire.handshake()
        bodies = b"".join([(await wire.post(target, b"1:2")).body for _ in range(40)])
        assert b"send all requests of a session to the same node (session affinity)" in bodies
        await running.wait_log("session affinity")
        assert "w1 WARNING refused" in running.log or "w2 WARNING refused" in running.log


@slow
async def test_private_sockets_lead_to_one_worker_each(tmp_path: Path) -> None:
    async with program(workers=2, private=f"{tmp_path}/{{node}}.sock") as running:
        await running.serving()
        for name in ("w1", "w2"):
            for _ in range(5):
                stream = await trio.open_unix_socket(tmp_path / f"{name}.sock")
                await stream.send_all(
                    b"GET /socket.io/?EIO=3&transport=polling HTTP/1.1\r\nHost: a\r\n\r\n"
                )
                assert f'"sid":"{name}.'.encode() in await stream.receive_some()
                await stream.aclose()
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0
    assert list(tmp_path.iterdir()) == []  # noqa: ASYNC240


@slow
@pytest.mark.node
async def test_websocket_clients_need_no_affinity() -> None:
    """Real clients on the shared port: connect, ask, lose their worker, and ask again."""
    async with program(workers=2) as running, peer() as process:
        first = await running.serving()
        options = {**WEBSOCKET.options, "reconnectionDelay": 50, "reconnectionDelayMax": 100}
        clients = [await process.connect(running.url, **options) for _ in range(20)]
        served_by = [(await client.call("who"))[0] for client in clients]
        assert {number for number, _ in served_by} == {1, 2}
        assert {pid for _, pid in served_by} == set(first.values())
        await clients[0].emit("die", signal.SIGKILL)
        lost = [client for client, by in zip(clients, served_by, strict=True) if by == served_by[0]]
        for client in lost:
            await client.hear("disconnect")
            await client.hear("connect")
        for client in clients:
            _, pid = (await client.call("who"))[0]
            assert pid != served_by[0][1]
        running.signal(signal.SIGTERM)
        assert await running.wait() == 0


@slow
async def test_nothing_is_left_when_it_ends() -> None:
    async with program(workers=2) as running:
        pids = await running.serving()
        running.signal(signal.SIGINT)
        assert await running.wait() == 0
        assert not any(map(is_there, pids.values()))
        with pytest.raises(OSError, match="all attempts to connect"):
            await trio.open_tcp_stream("127.0.0.1", running.port)
        await wait_gone(running.process.pid)
