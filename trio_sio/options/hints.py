"""What to write in place of options that other servers have."""

import re
import warnings
from collections.abc import Collection

_JAVASCRIPT = {
    "allowEIO3": "clients of all releases are served, unless `protocols` leaves some out",
    "cookiePath": "cookie_path",
    "destroyUpgrade": "requests for other paths go to `fallback`",
    "handlePreflightRequest": "give `origins`, and `allow_headers` for header fields of the page",
    "wsEngine": "ws_engine",
    "resource": "path",
}
_PYTHON_SOCKETIO = {
    "allow_eio3": "clients of all releases are served, unless `protocols` leaves some out",
    "always_connect": "a client is let in when the middleware, `io.use`, has returned",
    "async_handlers": "handlers are registered with `concurrent=True`",
    "async_mode": "there is one, Trio",
    "binary": "bytes are found by themselves",
    "client_manager": "adapter",
    "compression_threshold": 'http_compression={"threshold": 1024}',
    "cors_allowed_origins": "origins",
    "cors_credentials": "pages of all `origins` may send credentials",
    "engineio_logger": 'logging.getLogger("trio_sio").setLevel(logging.DEBUG)',
    "engineio_path": "path",
    "json": "`json_default` is called for values that cannot be sent; `parser` replaces it all",
    "logger": 'logging.getLogger("trio_sio").setLevel(logging.DEBUG)',
    "max_decode_packets": "max_payload_packets",
    "monitor_clients": "clients are always watched",
    "namespaces": "io.of(name) makes a namespace",
    "serializer": "parser",
    "socketio_path": "path",
}
_HINTS = {**_JAVASCRIPT, **_PYTHON_SOCKETIO}

_HOUR = 3600
_BEGINNING = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ORIGIN = re.compile(r"\*|null|[A-Za-z][A-Za-z0-9+.-]*://[^/\s]*/?|[^/\s]+:(\*|[0-9]+)")


def in_python(name: str) -> str:
    """Return a JavaScript name as Python writes it: `ping_timeout` for `pingTimeout`."""
    return _BEGINNING.sub("_", name).lower()


def hint(name: str, known: Collection[str]) -> str:
    """Return what is meant by the name of an option that does not exist; `""` if nobody knows.

    Args:
        name: the name.
        known: the options that there are.
    """
    if name in _HINTS:
        told = _HINTS[name]
        return f"the option is {told!r} here" if told in known else told
    here = in_python(name)
    if here != name and here in known:
        seconds = ", in seconds" if here.endswith(("timeout", "interval")) else ""
        return f"the option is {here!r} here{seconds}"
    return ""


def warn_of_milliseconds(name: str, seconds: float) -> None:
    """Warn of a time in seconds that looks like one in milliseconds."""
    if seconds > _HOUR:
        text = f"option {name!r} is in seconds: {seconds:g} are {seconds / _HOUR:.1f} hours"
        warnings.warn(text, stacklevel=6)


def wrong_origin(origin: str) -> str:
    """Return what is wrong with an origin that is listed, `""` if nothing is."""
    if _ORIGIN.fullmatch(origin):
        return ""
    if "://" in origin:
        scheme, _, rest = origin.partition("://")
        return f"an origin has no path: {scheme}://{rest.partition('/')[0]}"
    return f'an origin is "https://{origin}", or "{origin}:*" for any scheme and port'
