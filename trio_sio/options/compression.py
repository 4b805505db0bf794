"""The options `per_message_deflate` and `http_compression`: a bool, or parameters."""

from collections.abc import Mapping

CompressionOption = bool | Mapping[str, int | bool]
"""`True` for the default parameters, `False` for no compression, or some parameters."""

_SIZES = range(2**31)
_LEVELS = range(10)
_WINDOW_BITS = range(9, 16)  # zlib cannot do the 8 that RFC 7692 allows
FLAG = range(2)  # a bool is an int, too
PARAMETERS = {
    "http_compression": {"threshold": _SIZES, "level": _LEVELS},
    "per_message_deflate": {
        "threshold": _SIZES,
        "level": _LEVELS,
        "memory_level": _LEVELS[1:],
        "server_max_window_bits": _WINDOW_BITS,
        "client_max_window_bits": _WINDOW_BITS,
        "server_no_context_takeover": FLAG,
        "client_no_context_takeover": FLAG,
    },
}
"""The parameters of both options, and the values that each may have."""

COMPRESSION_THRESHOLD = 1024
"""Bytes; smaller messages and responses are not compressed. The default of `threshold`."""
COMPRESSION_LEVEL = 6
"""zlib's own balance of time and size. The default of `level`."""


def compression_threshold(option: CompressionOption) -> int | None:
    """Return the size in bytes from which on to compress; `None` for never."""
    if isinstance(option, bool):
        return COMPRESSION_THRESHOLD if option else None
    return int(option.get("threshold", COMPRESSION_THRESHOLD))


def compression_level(option: CompressionOption) -> int:
    """Return zlib's level: 0 for none, 1 for fast, 9 for small."""
    if isinstance(option, bool):
        return COMPRESSION_LEVEL
    return int(option.get("level", COMPRESSION_LEVEL))


def check_compression(name: str, value: object) -> None:
    """Check the value of one of the two options.

    Raises:
        TypeError: a parameter that does not exist, or a wrong type.
        ValueError: a parameter out of its range.
    """
    if isinstance(value, bool):
        return
    if not isinstance(value, Mapping):
        wanted = "True, False or a mapping of parameters"
        raise TypeError(f"option {name!r} must be {wanted}, not {value!r}")
    parameters = PARAMETERS[name]
    for key, number in value.items():
        if key not in parameters:
            raise TypeError(f"option {name!r} has no {key!r}; it knows {sorted(parameters)}")
        _check_parameter(f"option {name!r}: {key!r}", number, parameters[key])


def _check_parameter(what: str, number: object, allowed: range) -> None:
    if allowed is FLAG:
        if not isinstance(number, bool):
            raise TypeError(f"{what} must be True or False, not {number!r}")
    elif isinstance(number, bool) or not isinstance(number, int):
        raise TypeError(f"{what} must be an int, not {number!r}")
    elif number not in allowed:
        raise ValueError(f"{what} must be {allowed[0]} to {allowed[-1]}, not {number!r}")
