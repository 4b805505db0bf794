"""What an application is told of a request, and what its fields may say."""

import pytest

from trio_sio.asgi.scope import Scopes, response_fields
from trio_sio.http import Ends, Request


def test_the_state_of_one_request_is_not_that_of_another() -> None:
    scopes = Scopes({"pool": object()})
    first, second = scopes.http(Request("GET", "/")), scopes.http(Request("GET", "/"))
    first["state"]["mine"] = 1
    assert set(second["state"]) == {"pool"}


@pytest.mark.parametrize(
    ("ends", "client", "server"),
    [
        (Ends(), None, None),
        (Ends("10.0.0.1"), ("10.0.0.1", 0), None),  # as X-Forwarded-For has it
        (Ends("::1", 5, ("::2", 80)), ("::1", 5), ("::2", 80)),
        (Ends(local=("/run/a.sock", None)), None, ("/run/a.sock", None)),
    ],
)
def test_both_ends(ends: Ends, client: object, server: object) -> None:
    request = Request(
        "GET", "/", remote=ends.remote, remote_port=ends.remote_port, local=ends.local
    )
    scope = Scopes({}).http(request)
    assert (scope["client"], scope["server"]) == (client, server)


def test_the_scheme() -> None:
    assert Scopes({}).http(Request("GET", "/", secure=True))["scheme"] == "https"
    assert Scopes({}).websocket(Request("GET", "/", secure=True), [])["scheme"] == "wss"


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
