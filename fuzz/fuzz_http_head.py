"""Any bytes are left to h11 or mean to h11 what they mean to us, never anything else.

The first byte says after how many of the others the connection was cut.
"""

from collections.abc import Hashable

import h11

from fuzz import harness
from trio_sio.engine.http.fast_path import read_head

NAME = "http_head"


def fuzz(data: bytes) -> Hashable:
    """Read a head, whole and cut, and ask h11 whether it agrees."""
    cut = data[:1][0] if data else 0
    return (_read(data[1:]), _read(data[1 : 1 + cut]))


def _read(data: bytes) -> Hashable:
    found = read_head(data)
    if found is None:
        return None
    request, fields, end = found
    assert read_head(data, fields) == found
    assert data[:end].endswith(b"\r\n\r\n")
    judge = h11.Connection(h11.SERVER)
    judge.receive_data(data[:end])
    event = judge.next_event()
    assert isinstance(event, h11.Request)
    assert (event.method, event.target) == (request.method.encode(), request.target.encode())
    assert [*event.headers] == [
        (n.encode("latin-1"), v.encode("latin-1")) for n, v in request.fields
    ]
    rest = judge.next_event()
    assert (rest is h11.NEED_DATA) == (request.announced > 0)
    return (request.method, len(request.fields), request.announced > 0, rest is h11.NEED_DATA)


if __name__ == "__main__":
    harness.main(fuzz, NAME)
