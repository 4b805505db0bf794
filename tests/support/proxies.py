"""Real proxies, with the configurations of `examples/proxies`."""

import os
import re
import socket
import subprocess
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import trio

from tests.support.peers import DEADLINE
from tools.setup_machine import find_program

CONFIGURATIONS = Path(__file__).parents[2] / "examples" / "proxies"

_FILES_OF_NGINX = (
    *("client_body_temp_path", "proxy_temp_path", "fastcgi_temp_path", "uwsgi_temp_path"),
    "scgi_temp_path",
)
"""Where it keeps what does not fit into memory; in the folder of the test."""

_MODULES_OF_APACHE = "/usr/lib/apache2/modules"


def configuration(name: str) -> str:
    """Return a configuration as it is in `examples/proxies`."""
    return (CONFIGURATIONS / name).read_text("utf-8")


@asynccontextmanager
async def proxy(text: str, ports: Sequence[int]) -> AsyncIterator[str]:
    """Run nginx, HAProxy, Caddy or Apache, and give its URL.

    Args:
        text: a configuration that listens on port 8080, with workers on 3001, 3002 and so on.
        ports: of the workers.
    """
    port = free_port()
    for number, there in enumerate(ports, start=1):
        text = text.replace(f"127.0.0.1:300{number}", f"127.0.0.1:{there}")
    assert "127.0.0.1:300" not in text, "a worker without a port"
    text = re.sub(r"listen 8080\b", f"listen 127.0.0.1:{port}", text)
    text = re.sub(r"bind :8080\b", f"bind 127.0.0.1:{port}", text)
    text = text.replace("Listen 8080", f"Listen 127.0.0.1:{port}").replace("*:8080>", f"*:{port}>")
    text = text.replace("http://:8080 {", f"http://127.0.0.1:{port} {{")
    with tempfile.TemporaryDirectory(prefix="proxy-") as folder:
        command = _command(text, folder)
        environment = {**os.environ, "HOME": folder}  # where Caddy keeps its state
        run_process = partial(
            trio.run_process, command, check=False, stdout=subprocess.DEVNULL, env=environment
        )
        async with trio.open_nursery() as nursery:
            process: trio.Process = await nursery.start(run_process)
            await _wait_listening(process, port)
            yield f"http://127.0.0.1:{port}"
            process.terminate()


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _command(text: str, folder: str) -> list[str]:
    if "reverse_proxy " in text:
        return _caddy(text, folder)
    if "<VirtualHost " in text:
        return _apache(text, folder)
    return _haproxy(text, folder) if "\nbackend " in text else _nginx(text, folder)


def _caddy(text: str, folder: str) -> list[str]:
    text = text.replace("\tadmin off", "\tadmin off\n\tlog {\n\t\tlevel ERROR\n\t}")
    Path(folder, "Caddyfile").write_text(text, "utf-8")
    return [_program("caddy"), "run", "--config", f"{folder}/Caddyfile", "--adapter", "caddyfile"]


def _apache(text: str, folder: str) -> list[str]:
    modules = ("mpm_event", "authz_core", "proxy", "proxy_http", "headers")
    lines = [f"LoadModule {one}_module {_MODULES_OF_APACHE}/mod_{one}.so" for one in modules]
    lines += [f"ServerRoot {folder}", f"PidFile {folder}/pid", "ServerName localhost"]
    lines += ["ErrorLog /dev/stderr", "LogLevel crit", f"DefaultRuntimeDir {folder}"]
    Path(folder, "apache.conf").write_text("\n".join([*lines, text]), "utf-8")
    return [_program("apache2"), "-f", f"{folder}/apache.conf", "-DFOREGROUND"]


def _nginx(text: str, folder: str) -> list[str]:
    paths = "".join(f"    {name} {folder}/{name};\n" for name in _FILES_OF_NGINX)
    text = text.replace("http {\n", f"http {{\n    access_log off;\n{paths}")
    Path(folder, "nginx.conf").write_text(text, "utf-8")
    own = f"daemon off; master_process off; pid {folder}/pid; error_log stderr crit;"
    return [_program("nginx"), "-p", folder, "-c", "nginx.conf", "-e", "stderr", "-g", own]


def _haproxy(text: str, folder: str) -> list[str]:
    Path(folder, "haproxy.cfg").write_text(text, "utf-8")
    return [_program("haproxy"), "-db", "-q", "-f", f"{folder}/haproxy.cfg"]


def _program(name: str) -> str:
    found = find_program(name)
    assert found is not None, f"{name} is not installed"
    return found


async def _wait_listening(process: trio.Process, port: int) -> None:
    with trio.fail_after(DEADLINE):
        while True:
            assert process.returncode is None, "it ended: see its complaints above"
            try:
                await (await trio.open_tcp_stream("127.0.0.1", port)).aclose()
            except OSError:
                await trio.sleep(0.01)
            else:
                return
