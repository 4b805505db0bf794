"""What is published over a Redis, as a subscriber sees it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis

from tests.support.redis_server import RedisServer

PATIENCE = 20.0
"""Seconds in which a message arrives; far more than it takes."""


@contextmanager
def published(server: RedisServer) -> Iterator[Iterator[tuple[bytes, bytes]]]:
    """What is published after the beginning, one after the other: channels and messages."""
    client = redis.Redis.from_url(server.unix_url)
    with client.pubsub() as messages:  # type: ignore[no-untyped-call]
        messages.psubscribe("*")
        assert messages.get_message(timeout=PATIENCE) is not None  # it is subscribed
        yield _messages(messages)
    client.close()


def _messages(messages: Any) -> Iterator[tuple[bytes, bytes]]:  # noqa: ANN401
    while True:
        message = messages.get_message(timeout=PATIENCE)
        assert message is not None, "nothing was published"
        yield message["channel"], message["data"]
