"""Where Redis is, as a URL says it.

    redis://[[user]:password@]host[:port][/database]
    rediss://…                                         with TLS
    unix://[[user]:password@]/path/of/the/socket
    redis+sentinel://[[user]:password@]host[:port],host[:port]…/service
    rediss+sentinel://…

User and password are those of Redis; those of the Sentinels are the fields `sentinel_username` and
`sentinel_password` of the query. Fields for TLS, named as in redis-py: `ssl_ca_certs`,
`ssl_certfile`, `ssl_keyfile` (files in PEM), `ssl_check_hostname` ("true" or "false"), and
`ssl_cert_reqs` ("required" or "none"). Pub/Sub knows no databases, so their number makes no
difference, but it has to be one.

No text of an error or of `repr` has a password in it.
"""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

REDIS_PORT, SENTINEL_PORT = 6379, 26379

_SCHEMES = ("redis", "rediss", "unix", "redis+sentinel", "rediss+sentinel")
_TLS_FIELDS = frozenset(
    {"ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_check_hostname", "ssl_cert_reqs"}
)
_SENTINEL_FIELDS = frozenset({"sentinel_username", "sentinel_password"})
_WORDS = {"ssl_check_hostname": ("true", "false"), "ssl_cert_reqs": ("required", "none")}


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who logs in."""

    username: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A host and a port, or with an empty host and port 0 the path of a Unix socket."""

    host: str
    port: int
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return self.path
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Address:
    """What a URL says.

    Attributes:
        endpoints: Redis itself, or its Sentinels.
        service: the name by which Sentinels know the primary; `""` without Sentinels.
        credentials: of Redis.
        sentinel_credentials: of the Sentinels.
        tls: whether connections use TLS.
        tls_fields: the query's fields for it.
    """

    endpoints: tuple[Endpoint, ...]
    service: str = ""
    credentials: Credentials | None = None
    sentinel_credentials: Credentials | None = None
    tls: bool = False
    tls_fields: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, url: object) -> "Address":
        """Read a URL.

        Raises:
            TypeError: it is no str.
            ValueError: it cannot be read; the text shows nothing but the scheme.
        """
        if not isinstance(url, str):
            raise TypeError(f"option 'url' must be a str, not {type(url).__name__}")
        scheme = url.partition(":")[0].lower()
        if scheme not in _SCHEMES or "://" not in url:
            schemes = ", ".join(f"{one}://" for one in _SCHEMES)
            raise ValueError(f"option 'url' must begin with one of {schemes}")
        try:
            return _read(urlsplit(url), scheme)
        except _WrongURL as error:
            raise ValueError(f"option 'url' ({scheme}://…) {error}") from None
        except ValueError:  # its text could show a password
            raise ValueError(f"option 'url' ({scheme}://…) is not a URL") from None

    def __str__(self) -> str:
        """What may be shown of it."""
        scheme = "unix" if self.endpoints[0].path else "rediss" if self.tls else "redis"
        places = ",".join(map(str, self.endpoints))
        return (
            f"{scheme}+sentinel://{places}/{self.service}"
            if self.service
            else (f"{scheme}://{places}")
        )

    def ssl_context(self) -> ssl.SSLContext | None:
        """Return what the fields for TLS ask for; `None` without TLS.

        Raises:
            ValueError: a file cannot be read.
        """
        if not self.tls:
            return None
        fields = self.tls_fields
        try:
            context = ssl.create_default_context(cafile=fields.get("ssl_ca_certs"))
            if "ssl_certfile" in fields:
                context.load_cert_chain(fields["ssl_certfile"], fields.get("ssl_keyfile"))
        except OSError as error:  # ssl.SSLError is one, too
            raise ValueError(f"option 'url': its certificates cannot be read: {error}") from error
        is_required = fields.get("ssl_cert_reqs") != "none"
        context.check_hostname = is_required and fields.get("ssl_check_hostname") != "false"
        if not is_required:
            context.verify_mode = ssl.CERT_NONE
        return context


class _WrongURL(Exception):
    """The text goes on with what is wrong, and has no secret."""


def _read(url: SplitResult, scheme: str) -> Address:
    userinfo, _, places = url.netloc.rpartition("@")
    query = _query(url.query)
    credentials = _credentials(userinfo)
    if url.fragment:
        raise _WrongURL("has a '#', which must be written as %23")
    if scheme == "unix":
        _allow(query, frozenset())
        if places or not url.path.strip("/"):
            raise _WrongURL("must have the absolute path of a socket")
        return Address((Endpoint("", 0, unquote(url.path)),), credentials=credentials)
    tls = scheme.startswith("rediss")
    tls_fields = {name: value for name, value in query.items() if name in _TLS_FIELDS}
    fields = _TLS_FIELDS if tls else frozenset()
    if scheme.endswith("+sentinel"):
        _allow(query, fields | _SENTINEL_FIELDS)
        service, _, database = url.path.removeprefix("/").partition("/")
        _check_database(database)
        if not service:
            raise _WrongURL("must end with the name of the service, as in …/mymaster")
        return Address(
            tuple(_endpoint(place, SENTINEL_PORT) for place in places.split(",")),
            unquote(service),
            credentials,
            _sentinel_credentials(query),
            tls,
            tls_fields,
        )
    _allow(query, fields)
    _check_database(url.path.removeprefix("/"))
    place = _endpoint(places or "localhost", REDIS_PORT)
    return Address((place,), "", credentials, None, tls, tls_fields)


def _query(text: str) -> dict[str, str]:
    fields = dict(parse_qsl(text, keep_blank_values=True, strict_parsing=bool(text)))
    for name, words in _WORDS.items():
        if fields.get(name, words[0]) not in words:
            raise _WrongURL(f"must have {' or '.join(map(repr, words))} as {name}")
    return fields


def _allow(query: Mapping[str, str], fields: frozenset[str]) -> None:
    for name in query:
        if name in _TLS_FIELDS and name not in fields:
            raise _WrongURL(f"has {name}, which needs rediss://")
        if name not in fields:
            raise _WrongURL(f"has an unknown field {name!r}")


def _credentials(userinfo: str) -> Credentials | None:
    if not userinfo:
        return None
    username, colon, password = userinfo.partition(":")
    if not colon:
        raise _WrongURL("has a user without a password: write user:password@ or :password@")
    return Credentials(unquote(username) or "default", unquote(password))


def _sentinel_credentials(query: Mapping[str, str]) -> Credentials | None:
    if "sentinel_password" not in query:
        if "sentinel_username" in query:
            raise _WrongURL("has sentinel_username without sentinel_password")
        return None
    return Credentials(query.get("sentinel_username", "default"), query["sentinel_password"])


def _endpoint(place: str, default_port: int) -> Endpoint:
    if place.startswith("["):
        host, bracket, rest = place[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise _WrongURL("has an IPv6 address without its brackets")
        port = rest[1:]
    else:
        host, _, port = place.partition(":")
    if not host:
        raise _WrongURL("must have a host")
    if not port:
        return Endpoint(unquote(host), default_port)
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise _WrongURL("must have a port from 1 to 65535")
    return Endpoint(unquote(host), int(port))


def _check_database(text: str) -> None:
    if text and not (text.isascii() and text.isdigit()):
        raise _WrongURL("must have the number of a database, or nothing, behind the host")
