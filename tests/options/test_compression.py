"""The compressions: wrong parameters are named, and what is left out has a default."""

import pytest

from trio_sio import ServerOptions
from trio_sio.options.compression import (
    COMPRESSION_LEVEL,
    COMPRESSION_THRESHOLD,
    CompressionOption,
    check_compression,
    compression_level,
    compression_threshold,
)

WRONG_PARAMETERS: list[tuple[str, str, object, type[Exception]]] = [
    ("http_compression", "threshold", -1, ValueError),
    ("http_compression", "threshold", 1.5, TypeError),
    ("http_compression", "level", 10, ValueError),
    ("http_compression", "level", True, TypeError),
    ("per_message_deflate", "threshold", None, TypeError),
    ("per_message_deflate", "level", -1, ValueError),
    ("per_message_deflate", "memory_level", 0, ValueError),
    ("per_message_deflate", "memory_level", 10, ValueError),
    ("per_message_deflate", "server_max_window_bits", 8, ValueError),
    ("per_message_deflate", "client_max_window_bits", 16, ValueError),
    ("per_message_deflate", "server_no_context_takeover", 1, TypeError),
    ("per_message_deflate", "client_no_context_takeover", "yes", TypeError),
]


@pytest.mark.parametrize(("name", "key", "value", "error"), WRONG_PARAMETERS)
def test_wrong_parameter_of_a_compression(
    name: str, key: str, value: object, error: type[Exception]
) -> None:
    with pytest.raises(error, match=f"option '{name}': '{key}' must be .*, not {value!r}$"):
        ServerOptions.of({name: {key: value}})


@pytest.mark.parametrize("name", ["http_compression", "per_message_deflate"])
@pytest.mark.parametrize("value", [True, False, {}, {"threshold": 0}, {"level": 9}])
def test_good_values(name: str, value: CompressionOption) -> None:
    check_compression(name, value)


def test_wrong_kinds_of_values() -> None:
    for value in (None, 1, "gzip", [("level", 1)]):
        with pytest.raises(TypeError, match="option 'http_compression' must be True, False or a"):
            check_compression("http_compression", value)
    with pytest.raises(TypeError, match=r"has no 'levle'; it knows \['level', 'threshold'\]"):
        check_compression("http_compression", {"levle": 1})


@pytest.mark.parametrize(
    ("option", "threshold"),
    [
        (True, COMPRESSION_THRESHOLD),
        (False, None),
        ({}, COMPRESSION_THRESHOLD),
        ({"threshold": 0}, 0),
    ],
)
def test_compression_threshold(option: CompressionOption, threshold: int | None) -> None:
    assert compression_threshold(option) == threshold


@pytest.mark.parametrize(
    ("option", "level"), [(True, COMPRESSION_LEVEL), ({}, COMPRESSION_LEVEL), ({"level": 0}, 0)]
)
def test_compression_level(option: CompressionOption, level: int) -> None:
    assert compression_level(option) == level
