"""Opens connections to Redis: finds it, asks Sentinels where the primary is, and logs in."""

import os
import socket
import ssl
from collections.abc import Callable
from typing import Protocol

import trio

from trio_sio.adapters.redis.link.address import Address, Credentials, Endpoint
from trio_sio.adapters.redis.link.connection import Connection, ConnectionLost
from trio_sio.adapters.redis.link.resp import ErrorReply, Reply

_REFUSALS = {
    "WRONGPASS": "Redis refuses the user or the password",
    "NOAUTH": "Redis wants a password, and the URL has none",
    "NOPROTO": "Redis does not speak RESP 3; version 6 or later is needed",
    "NOPERM": "Redis does not allow the user to log in with HELLO",
}
"""What no further attempt changes, by the code of the reply."""

_UNKNOWN_COMMAND = "Redis does not know HELLO; version 6 or later is needed"
_MAX_TEXT = 200


class Opens(Protocol):
    """What opens connections."""

    async def open(self, role: str) -> Connection:
        """Open a connection and log in.

        Args:
            role: what it is for, as Redis shows it in `CLIENT LIST`.

        Raises:
            ConnectionLost: there is none.
        """


class Connector:
    """Opens connections to the address of a URL.

    Args:
        address: what the URL says.
        ssl_context: for TLS; `None` for connections without.
        name: this server's, for `CLIENT LIST`.
        connect_timeout: seconds for each attempt, with all it takes.
        max_message_bytes: how large one reply may be.
    """

    def __init__(
        self,
        address: Address,
        ssl_context: ssl.SSLContext | None,
        *,
        name: Callable[[], str],
        connect_timeout: float,
        max_message_bytes: int,
    ) -> None:
        self._address = address
        self._ssl_context = ssl_context
        self._name = name
        self._connect_timeout = connect_timeout
        self._max_message_bytes = max_message_bytes
        self._sentinels = list(address.endpoints) if address.service else []

    async def open(self, role: str) -> Connection:
        """Open a connection and log in.

        Args:
            role: what it is for, as Redis shows it in `CLIENT LIST`.

        Raises:
            ConnectionLost: it cannot be opened within `connect_timeout`; the text says why.
        """
        try:
            with trio.fail_after(self._connect_timeout):
                return await self._open(role)
        except trio.TooSlowError:
            seconds = f"{self._connect_timeout:g}"
            raise ConnectionLost(f"{self._address} does not answer in {seconds} s") from None

    async def _open(self, role: str) -> Connection:
        if not self._sentinels:
            return await self._log_in(self._address.endpoints[0], role)
        primary = await self._ask_sentinels()
        return await self._log_in(primary, role)

    # -- one connection ------------------------------------------------------------------------

    async def _log_in(self, endpoint: Endpoint, role: str) -> Connection:
        connection = await self._connect(endpoint)
        is_open = False
        try:
            credentials = self._address.credentials
            words = [b"HELLO", b"3"]
            if credentials is not None:
                words += [b"AUTH", *_encoded(credentials)]
            words += [b"SETNAME", _visible(f"trio_sio:{self._name()}:{role}")]
            reply = await connection.call(*words)
            if isinstance(reply, ErrorReply):
                raise _refusal(reply, credentials)
            if isinstance(reply, dict):
                connection.introduce(reply)
            if self._sentinels and connection.is_replica:  # it was the primary a moment ago
                raise ConnectionLost(f"{endpoint} is no longer the primary")
            is_open = True
        finally:
            if not is_open:
                await connection.aclose()
        return connection

    async def _connect(self, endpoint: Endpoint) -> Connection:
        try:
            stream: trio.abc.Stream
            if endpoint.path:
                stream = await trio.open_unix_socket(endpoint.path)
            else:
                stream = await trio.open_tcp_stream(endpoint.host, endpoint.port)
        except (OSError, UnicodeError) as error:  # it may be no name of a host
            raise ConnectionLost(f"cannot connect to {endpoint}: {_why(error)}") from error
        if self._ssl_context is not None:
            stream = await self._start_tls(stream, endpoint)
        return Connection(stream, endpoint, self._max_message_bytes)

    async def _start_tls(self, stream: trio.abc.Stream, endpoint: Endpoint) -> trio.abc.Stream:
        assert self._ssl_context is not None
        # Redis closes connections without the goodbye of TLS.
        tls = trio.SSLStream(
            stream, self._ssl_context, server_hostname=endpoint.host, https_compatible=True
        )
        is_secure = False
        try:
            await tls.do_handshake()
            is_secure = True
        except trio.BrokenResourceError as error:
            why = _why(error.__cause__ or error)
            raise ConnectionLost(f"no TLS with {endpoint}: {why}", is_refusal=True) from error
        finally:
            if not is_secure:
                await trio.aclose_forcefully(tls)
        return tls

    # -- Sentinels -----------------------------------------------------------------------------

    async def _ask_sentinels(self) -> Endpoint:
        """Return where the primary is, by the first Sentinel that knows."""
        reasons = []
        share = self._connect_timeout / (len(self._sentinels) + 1)
        for sentinel in tuple(self._sentinels):
            try:
                with trio.fail_after(share):
                    primary = await self._ask(sentinel)
            except trio.TooSlowError:
                reasons.append(f"Sentinel {sentinel} does not answer")
            except ConnectionLost as error:
                reasons.append(f"Sentinel {sentinel}: {error}")
            else:
                self._sentinels.remove(sentinel)
                self._sentinels.insert(0, sentinel)  # it is asked first the next time
                return primary
        raise ConnectionLost("; ".join(reasons))

    async def _ask(self, sentinel: Endpoint) -> Endpoint:
        connection = await self._connect(sentinel)
        try:
            credentials = self._address.sentinel_credentials
            if credentials is not None:
                reply = await connection.call(b"AUTH", *_encoded(credentials))
                if isinstance(reply, ErrorReply):
                    raise _refusal(reply, credentials)
            service = self._address.service
            command = b"SENTINEL", b"GET-MASTER-ADDR-BY-NAME", service.encode()
            return _primary(await connection.call(*command), service)
        finally:
            await connection.aclose()


def _primary(reply: Reply, service: str) -> Endpoint:
    match reply:
        case [bytes(host), bytes(port)] if host.isascii() and port.isdigit():
            return Endpoint(host.decode(), int(port))
        case None:
            raise ConnectionLost(f"it knows no service {service!r}")
        case ErrorReply(text=text):
            raise ConnectionLost(f"it refuses: {text[:_MAX_TEXT]}")
    raise ConnectionLost("it does not answer as a Sentinel")


def _refusal(reply: ErrorReply, credentials: Credentials | None) -> ConnectionLost:
    known = _REFUSALS.get(reply.code)
    if known is not None:
        return ConnectionLost(known, is_refusal=True)
    if "unknown command" in reply.text.lower():  # the text goes on with the arguments
        return ConnectionLost(_UNKNOWN_COMMAND, is_refusal=True)
    text = reply.text
    if credentials is not None and credentials.password:
        text = text.replace(credentials.password, "…")
    return ConnectionLost(f"Redis refuses the connection: {text[:_MAX_TEXT]}")


def _encoded(credentials: Credentials) -> tuple[bytes, bytes]:
    return credentials.username.encode(), credentials.password.encode()


def _visible(name: str) -> bytes:
    """Return a name as `CLIENT SETNAME` takes it: printable ASCII without spaces."""
    return "".join(one if "!" <= one <= "~" else "_" for one in name).encode("ascii")


def _why(error: BaseException) -> str:
    """Return what the system says; Trio's own text speaks of several attempts."""
    while isinstance(error, OSError) and error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, BaseExceptionGroup):
        return _why(error.exceptions[0])
    if isinstance(error, (ssl.SSLError, socket.gaierror)) and error.strerror:
        return error.strerror
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return str(error) or type(error).__name__
