"""The session's cookie: what can be said of it, and what holds for a client."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from enum import Enum
from typing import Any, Final, Literal, Self, get_args

from trio_sio.options import checks

SameSite = Literal["Strict", "Lax", "None"]


class ByProtocol(Enum):
    """The value of an option that is not given, and means something else for each revision."""

    DEFAULT = "by protocol"


BY_PROTOCOL: Final = ByProtocol.DEFAULT

CookieOption = str | Mapping[str, object] | ByProtocol | None
"""The cookie's name, or some of its attributes; `None` for no cookie."""

cookie_name = checks.cookie_text(' ",;\\=()<>@:/[]?{}')
cookie_path = checks.cookie_text(";")
cookie_domain = checks.cookie_text(" ;,")
_same_site = checks.word((*get_args(SameSite), None))


def cookie_same_site(name: str, value: object) -> None:
    """Check a word of `SameSite`, or `None`."""
    if value is not BY_PROTOCOL:
        _same_site(name, value)


def _moment(name: str, value: object) -> None:
    if value is None:
        return
    if not isinstance(value, datetime):
        raise TypeError(checks.wrong(name, "a datetime or None", value))
    if value.tzinfo is None:
        raise ValueError(checks.wrong(name, "a datetime with a time zone", value))


_CHECKS: dict[str, checks.Check] = {
    "name": cookie_name,
    "path": cookie_path,
    "http_only": checks.flag,
    "same_site": _same_site,
    "secure": checks.flag_or_none,
    "domain": cookie_domain,
    "max_age": checks.age,
    "expires": _moment,
}

_SAME_SITES: dict[int, SameSite] = {3: "Strict", 4: "Lax"}
"""As in socket.io 2.5 and 4.8."""


def check_cookie(name: str, value: object) -> None:
    """Check a name, a mapping of attributes, or `None`.

    Raises:
        TypeError: an attribute that does not exist, or a wrong type.
        ValueError: a value that cannot stand in `Set-Cookie`.
    """
    if value is BY_PROTOCOL:
        return
    if not isinstance(value, Mapping):
        cookie_name(name, value)
        return
    for key, given in value.items():
        if key not in _CHECKS:
            raise TypeError(f"option {name!r} has no {key!r}; it knows {sorted(_CHECKS)}")
        if key == "name" and given is None:
            raise ValueError(checks.wrong(f"{name}: {key}", "a str", given))
        _CHECKS[key](f"{name}: {key}", given)


@dataclass(frozen=True, slots=True)
class Cookie:
    """What is known of the cookies of one server's clients that speak the same revision.

    Attributes:
        name: its name.
        path: the URL path for which browsers send it, `None` for their default.
        http_only: whether it is hidden from the page's scripts.
        same_site: to which sites' requests it is added, `None` for nothing said of it.
        secure: whether it is for TLS only; `None` if the client's connection uses TLS.
        domain: with whose subdomains it is shared, `None` for this host alone.
        max_age: seconds for which browsers keep it.
        expires: until when they do.
    """

    name: str
    path: str | None = "/"
    http_only: bool = True
    same_site: SameSite | None = None
    secure: bool | None = None
    domain: str | None = None
    max_age: int | None = None
    expires: datetime | None = None

    @classmethod
    def of(cls, given: CookieOption, others: dict[str, Any], protocol: int) -> Self | None:
        """Return what holds for the clients that speak a revision of Engine.IO, if anything does.

        Args:
            given: the option `cookie`.
            others: the attributes by the options that begin with `cookie_`.
            protocol: the revision, 3 or 4.
        """
        if given is None or (given is BY_PROTOCOL and protocol != 3):
            return None
        named = given if isinstance(given, Mapping) else {}
        if others["same_site"] is BY_PROTOCOL:
            others["same_site"] = _SAME_SITES[protocol]
        # In socket.io 2.5, that the path is left out leaves HttpOnly out as well.
        if protocol == 3 and others["path"] is None and not named:
            others["http_only"] = False
        name = given if isinstance(given, str) else "io"
        return cls(**{"name": name, **others, **named})

    def check(self, given: CookieOption) -> None:
        """Check that browsers take it.

        Raises:
            ValueError: they do not; the option that was given is named.
        """
        if self.same_site == "None" and self.secure is False:
            wanted = "such that 'secure' is True or None if 'same_site' is 'None'"
            raise ValueError(checks.wrong("cookie", wanted, given))

    def field(self, value: str, *, by_tls: bool) -> str:
        """Return the value of `Set-Cookie`; the order is that of the npm package `cookie`.

        Args:
            value: the cookie's.
            by_tls: whether the request came by TLS; so will those to which the cookie belongs.
        """
        is_secure = self.secure
        if is_secure is None:
            is_secure = by_tls or self.same_site == "None"  # which browsers take with Secure only
        parts = [f"{self.name}={value}"]
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        if self.path is not None:
            parts.append(f"Path={self.path}")
        if self.expires is not None:
            parts.append(f"Expires={format_datetime(self.expires.astimezone(UTC), usegmt=True)}")
        if self.http_only:
            parts.append("HttpOnly")
        if is_secure:
            parts.append("Secure")
        if self.same_site is not None:
            parts.append(f"SameSite={self.same_site}")
        return "; ".join(parts)
