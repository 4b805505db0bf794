"""A real redis-server, on a free port and with its files in a folder that is thrown away.

    with RedisServer(password="secret") as server:
        RedisAdapter(server.url)
        server.command("CLIENT", "KILL", "TYPE", "pubsub")
        server.pause()  # it hangs
        server.resume()
        server.kill()  # it dies at once
        server.restart()  # on the same port

The fixture `redis_server` is one for each test; a test file imports it. Whatever it has to say in
its log is part of the error if it does not start.
"""

import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import pytest
import redis
import trustme

from tests.support.proxies import free_port

PATIENCE = 20.0
"""Seconds in which it starts and ends; far more than it takes."""

_HIGHEST = 55535
_ATTEMPTS = 5
"""Free ports that are tried: another process may take one before the server does."""


class TLSFiles(NamedTuple):
    """The names of the files that a server with TLS needs, in PEM.

    Attributes:
        certificate: its own, with the chain.
        key: its private key.
        authority: the certificate of who has signed it.
    """

    certificate: Path
    key: Path
    authority: Path


class RedisServer:
    """Starts a server; `stop` it, or use it as a context manager.

    Args:
        password: of the user `default`; `None` for no password.
        tls: to listen with TLS, and on no other port.
        config: further lines of its configuration, as `("maxmemory 1mb",)`.
        program: `"redis-server"`, or one that takes the same configuration.
        sentinel: whether it is to watch others, as `redis-sentinel` does.

    Attributes:
        port: where it listens, on 127.0.0.1; stays the same after `restart`.
        socket_path: the Unix socket on which it listens, too.
        folder: its own, with the files `redis.conf` and `log`.
    """

    def __init__(
        self,
        *,
        password: str | None = None,
        tls: TLSFiles | None = None,
        config: Sequence[str] = (),
        program: str = "redis-server",
        sentinel: bool = False,
    ) -> None:
        self._password = password
        self._tls = tls
        self._config = tuple(config)
        self._program = program
        self._sentinel = sentinel
        self._temporary = tempfile.TemporaryDirectory(prefix="redis-")
        self.folder = Path(self._temporary.name)
        self.socket_path = self.folder / "socket"
        self._process: subprocess.Popen[bytes] | None = None
        self._client: redis.Redis | None = None
        for attempts_left in reversed(range(_ATTEMPTS)):
            self.port = _free_port()
            self._configure()
            try:
                self.restart()
            except _PortTakenError:
                if not attempts_left:
                    raise
            else:
                return

    # -- where it is ---------------------------------------------------------------------------

    @property
    def url(self) -> str:
        """Where it listens, with the password."""
        secret = "" if self._password is None else f":{quote(self._password, safe='')}@"
        scheme = "redis" if self._tls is None else "rediss"
        host = "127.0.0.1" if self._tls is None else "localhost"
        return f"{scheme}://{secret}{host}:{self.port}"

    @property
    def unix_url(self) -> str:
        """Its Unix socket, with the password."""
        secret = "" if self._password is None else f":{quote(self._password, safe='')}@"
        return f"unix://{secret}{self.socket_path}"

    @property
    def pid(self) -> int:
        """The process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def log(self) -> str:
        """All it has written to its log."""
        path = self.folder / "log"
        return path.read_text("utf-8", "replace") if path.exists() else ""

    # -- commands ------------------------------------------------------------------------------

    @property
    def client(self) -> redis.Redis:
        """A client of redis-py, which blocks, over the Unix socket; replies are bytes."""
        if self._client is None:
            self._client = redis.Redis(
                unix_socket_path=str(self.socket_path), password=self._password
            )
        return self._client

    def command(self, *words: str | bytes | float) -> Any:  # noqa: ANN401
        """Run a command as any client could, and return its reply.

        Raises:
            redis.RedisError: the server answers with an error, or not at all.
        """
        return self.client.execute_command(*words)  # type: ignore[no-untyped-call]

    def publish(self, channel: str | bytes, payload: str | bytes) -> int:
        """Publish, and return how many subscribers have got it."""
        return int(self.command("PUBLISH", channel, payload))

    def subscribers(self, channel: str | bytes) -> int:
        """How many are subscribed to a channel, patterns not counted."""
        return int(self.command("PUBSUB", "NUMSUB", channel)[1])

    def channels(self) -> set[bytes]:
        """Each channel that has subscribers, patterns not counted."""
        return set(self.command("PUBSUB", "CHANNELS"))

    def patterns(self) -> int:
        """How many patterns clients are subscribed to."""
        return int(self.command("PUBSUB", "NUMPAT"))

    def kill_clients(self, kind: str) -> int:
        """Close the connections of a kind, `pubsub` or `normal`, and return how many there were.

        The connection that asks stays.
        """
        return int(self.command("CLIENT", "KILL", "TYPE", kind, "SKIPME", "yes"))

    # -- its life ------------------------------------------------------------------------------

    def restart(self) -> None:
        """Start it, again if it was stopped, on the same port; returns when it answers."""
        assert self._process is None, "it is running"
        command = [self._program, str(self.folder / "redis.conf")]
        if self._sentinel:
            command.append("--sentinel")
        self._process = subprocess.Popen(
            command, cwd=self.folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL
        )
        deadline = time.monotonic() + PATIENCE
        while not self._answers():
            if self._process.poll() is not None:
                self._process = None
                error = _PortTakenError if "Address already in use" in self.log else RuntimeError
                raise error(f"redis-server has ended:\n{self.log}")
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"redis-server does not answer:\n{self.log}")
            time.sleep(0.01)  # it says nothing when it is ready

    def stop(self) -> None:
        """End it and delete its folder; may be called twice."""
        self._end(signal.SIGTERM)
        self._temporary.cleanup()

    def kill(self) -> None:
        """End it at once (SIGKILL); `restart` starts it again."""
        self._end(signal.SIGKILL)

    def shut_down(self) -> None:
        """End it as an operator does (SIGTERM); `restart` starts it again."""
        self._end(signal.SIGTERM)

    def pause(self) -> None:
        """Stop the process (SIGSTOP): connections stay open, and nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let a paused process go on."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # -- private -------------------------------------------------------------------------------

    def _configure(self) -> None:
        lines = [
            "bind 127.0.0.1 -::1",
            'save ""',
            "appendonly no",
            "daemonize no",
            "enable-debug-command yes",
            f"dir {self.folder}",
            f"logfile {self.folder / 'log'}",
            f"unixsocket {self.socket_path}",
        ]
        if self._tls is None:
            lines.append(f"port {self.port}")
        else:
            lines += [
                "port 0",
                f"tls-port {self.port}",
                f"tls-cert-file {self._tls.certificate}",
                f"tls-key-file {self._tls.key}",
                f"tls-ca-cert-file {self._tls.authority}",
                "tls-auth-clients no",
            ]
        if self._sentinel:  # it knows few of them
            known = ("bind", "port", "dir", "logfile", "daemonize", "unixsocket")
            lines = [line for line in lines if line.startswith(known)]
        if self._password is not None:
            lines.append(f'requirepass "{self._password}"')
        lines += self._config
        (self.folder / "redis.conf").write_text("\n".join(lines) + "\n", "utf-8")
        (self.folder / "log").unlink(missing_ok=True)

    def _answers(self) -> bool:
        try:
            return bool(self.client.ping())
        except redis.ConnectionError:  # or it is still loading, which is one, too
            return False

    def _end(self, number: signal.Signals) -> None:
        if self._client is not None:
            self._client.close()
            self._client = None
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(number)
        process.send_signal(signal.SIGCONT)  # a paused one would not hear of it
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class _PortTakenError(RuntimeError):
    """Another process listens there."""


@pytest.fixture
def redis_server() -> Iterator[RedisServer]:
    """A server of this test's own, without a password."""
    with RedisServer() as server:
        yield server


@pytest.fixture
def tls_files(tmp_path: Path) -> TLSFiles:
    """What a server with TLS needs, for the name `localhost`."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    files = TLSFiles(tmp_path / "cert.pem", tmp_path / "key.pem", tmp_path / "ca.pem")
    certificate.cert_chain_pems[0].write_to_path(str(files.certificate))
    certificate.private_key_pem.write_to_path(str(files.key))
    authority.cert_pem.write_to_path(str(files.authority))
    return files


def _free_port() -> int:
    """Return a free port, so low that a node of a Redis cluster has its second one 10,000 above."""
    port = free_port()
    return port if port <= _HIGHEST else _free_port()
