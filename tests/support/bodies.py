"""The bodies of responses that are not streamed."""

from trio_sio.http import Response


def body_of(response: Response) -> bytes:
    """Return a response's body, which has to be there as a whole."""
    assert isinstance(response.body, bytes)
    return response.body
