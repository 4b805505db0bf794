"""Any query string is read as a request or raises RemoteProtocolError, never anything else.

The index of a JSONP callback, which goes into a script, has nothing but digits.
"""

from collections.abc import Hashable

from fuzz import harness
from trio_sio.protocol.engineio.handshake import HandshakeRequest, parse_query
from trio_sio.protocol.errors import RemoteProtocolError

NAME = "query"


def fuzz(data: bytes) -> Hashable:
    """Read `data` as it stands in a request, and as an application might give it."""
    return tuple(_read(text) for text in (data.decode("latin-1"), data.decode("utf-8", "replace")))


def _read(text: str) -> Hashable:
    try:
        query = parse_query(text)
    except RemoteProtocolError as error:
        return str(error)
    for key, value in query.items():
        assert isinstance(key, str)
        # A key that comes once has a string, one that comes again a list.
        assert isinstance(value, str) or len(value) > 1
    ask = HandshakeRequest.from_query(query)
    assert ask.jsonp is None or not set(ask.jsonp) - set("0123456789")
    assert ask.transport in (query.get("transport"), "")
    assert ask.sid in (query.get("sid"), "")
    known = (ask.transport in ("polling", "websocket"), bool(ask.sid), ask.base64, ask.jsonp)
    return (min(len(query), 8), sum(isinstance(value, list) for value in query.values()), known)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
