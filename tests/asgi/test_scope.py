"""What an application is told of a request, and what its fields may say."""

import pytest

from trio_sio.asgi.scope import Scopes, response_fields
from trio_sio.http import Request


def test_the_state_of_one_request_is_not_that_of_another() -> None:
    scopes = Scopes({"pool": object()})
    first, second = scopes.http(Request("GET", "/")), scopes.http(Request("GET", "/"))
    first["state"]["mine"] = 1
    assert set(second["state"]) == {"pool"}


def test_the_client_and_the_scheme() -> None:
    scope = Scopes({}).http(Request("GET", "/", remote="10.0.0.1", secure=True))
    assert (scope["client"], scope["scheme"]) == (("10.0.0.1", 0), "https")


@pytest.mark.parametrize(
    ("field", "left"),
    [
        ((b"Transfer-Encoding", b"gzip, chunked"), []),
        ((b"TE", b"trailers"), []),
        ((b"Connection", b"keep-alive, x"), []),
        ((b"Connection", b"x , Close"), [("Connection", "close")]),
        ((b"X-Name", b"  caf\xe9\t"), [("X-Name", "caf\xe9")]),
    ],
)
def test_fields(field: tuple[bytes, bytes], left: list[tuple[str, str]]) -> None:
    assert response_fields([field]) == left


@pytest.mark.parametrize("fields", [[("x", "y")], [(b"x",)], [(b"x", None)]])
def test_what_is_no_field(fields: list[tuple[bytes, bytes]]) -> None:
    with pytest.raises((TypeError, ValueError)):
        response_fields(fields)
