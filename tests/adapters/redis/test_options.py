"""The options of `RedisAdapter` are checked at once, and errors name the option and the value."""

import inspect
import ssl

import pytest

from trio_sio.adapters.redis import RedisAdapter
from trio_sio.adapters.redis.options import RedisOptions


def test_defaults_are_what_is_documented() -> None:
    options = RedisOptions()
    assert options.key == "socket.io"
    assert options.generation == 2
    assert options.requests_timeout == 5.0
    assert options.max_subscriptions == 10_000
    assert options.max_outgoing_bytes == 16 * 2**20
    assert options.max_message_bytes == 64 * 2**20


@pytest.mark.parametrize(
    ("name", "value", "error", "text"),
    [
        ("key", "", ValueError, "option 'key' must be a str that is not empty, not ''"),
        ("key", 1, TypeError, "option 'key' must be a str, not 1"),
        ("generation", 3, ValueError, "option 'generation' must be 2 or 4, not 3"),
        ("generation", "4", ValueError, "option 'generation' must be 2 or 4, not '4'"),
        ("generation", True, ValueError, "option 'generation' must be 2 or 4, not True"),
        ("name", "", ValueError, "option 'name' must be a str that is not empty"),
        ("ssl_context", True, TypeError, "option 'ssl_context' must be an ssl.SSLContext or None"),
        ("requests_timeout", 0, ValueError, "option 'requests_timeout' must be more than 0, not 0"),
        ("connect_timeout", "5", TypeError, "option 'connect_timeout' must be a number, not '5'"),
        ("command_timeout", -1, ValueError, "option 'command_timeout' must be more than 0"),
        ("subscribe_timeout", None, TypeError, "option 'subscribe_timeout' must be a number"),
        ("probe_interval", 0, ValueError, "option 'probe_interval' must be more than 0"),
        ("probe_timeout", 0, ValueError, "option 'probe_timeout' must be more than 0"),
        ("max_subscriptions", 0, ValueError, "option 'max_subscriptions' must be at least 1"),
        ("max_outgoing_bytes", 1.5, TypeError, "option 'max_outgoing_bytes' must be an int"),
        ("max_message_bytes", None, TypeError, "option 'max_message_bytes' must be an int"),
    ],
)
def test_a_wrong_value_is_refused(
    name: str, value: object, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        RedisOptions.of({name: value})


def test_a_context_and_a_name_are_taken() -> None:
    context = ssl.create_default_context()
    options = RedisOptions.of({"ssl_context": context, "name": "web-1"})
    assert options.ssl_context is context
    assert options.name == "web-1"


def test_the_adapter_takes_each_with_the_same_default() -> None:
    parameters = dict(inspect.signature(RedisAdapter).parameters)
    assert parameters.pop("url").default == "redis://localhost:6379"
    defaults = {name: parameter.default for name, parameter in parameters.items()}
    options = RedisOptions()
    assert defaults == {name: getattr(options, name) for name in RedisOptions.declarations()}
