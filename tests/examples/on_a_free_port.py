"""Run one of the examples as it is, but for its port: any free one, told in our first line.

python on_a_free_port.py examples/hello.py

An operators' port becomes any free one, too, told as "9464: 34567".
"""

import runpy
import socket
import sys

import trio
from hypercorn.config import Config, Sockets

import trio_sio.workers

_open_tcp_listeners = trio.open_tcp_listeners
_create_sockets = Config.create_sockets
_launch = sys.modules["trio_sio.workers.launch"]

OPERATORS = (9464, 9465)


async def _open_on_a_free_port(
    port: int, *, host: str | bytes | None = None, backlog: int | None = None
) -> list[trio.SocketListener]:
    if port != 3000 and port not in OPERATORS:
        raise ValueError(f"examples listen on port 3000, not {port}")
    assert host == "127.0.0.1" or (host is None and port == 3000)
    listeners = await _open_tcp_listeners(0, host="127.0.0.1", backlog=backlog)
    _tell(listeners[0].socket.getsockname()[1], of=port)
    return listeners


def _open_sockets_on_a_free_port(port: int, host: str | None) -> list[socket.socket]:
    if port != 3000:
        raise ValueError(f"examples listen on port 3000, not {port}")
    assert host is None
    sockets = trio_sio.workers.open_sockets(0, "127.0.0.1")
    _tell(sockets[0].getsockname()[1])
    return sockets


def _create_sockets_on_a_free_port(config: Config) -> Sockets:
    if config.bind != ["127.0.0.1:3000"]:
        raise ValueError(f"examples listen on port 3000, not {config.bind}")
    config.bind = ["127.0.0.1:0"]
    sockets = _create_sockets(config)
    _tell(sockets.insecure_sockets[0].getsockname()[1])
    return sockets


def _tell(port: int, *, of: int = 3000) -> None:
    sys.stdout.write(f"{port}\n" if of == 3000 else f"{of}: {port}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    trio.open_tcp_listeners = _open_on_a_free_port
    vars(_launch)["open_sockets"] = _open_sockets_on_a_free_port
    setattr(Config, "create_sockets", _create_sockets_on_a_free_port)  # noqa: B010
    runpy.run_path(sys.argv[1], run_name="__main__")
