"""Run one of the examples as it is, but for its port: any free one, told in our first line.

python on_a_free_port.py examples/hello.py
"""

import runpy
import sys

import trio

_open_tcp_listeners = trio.open_tcp_listeners


async def _open_on_a_free_port(
    port: int, *, host: str | bytes | None = None, backlog: int | None = None
) -> list[trio.SocketListener]:
    if port != 3000:
        raise ValueError(f"examples listen on port 3000, not {port}")
    assert host is None
    listeners = await _open_tcp_listeners(0, host="127.0.0.1", backlog=backlog)
    sys.stdout.write(f"{listeners[0].socket.getsockname()[1]}\n")
    sys.stdout.flush()
    return listeners


if __name__ == "__main__":
    trio.open_tcp_listeners = _open_on_a_free_port
    runpy.run_path(sys.argv[1], run_name="__main__")
