"""The interface's types."""

from trio_sio.asgi.types import VERSIONS, ClientGone


def test_sending_to_who_has_left_raises_what_the_version_says() -> None:
    assert VERSIONS["spec_version"] >= "2.4"
    assert issubclass(ClientGone, OSError)
