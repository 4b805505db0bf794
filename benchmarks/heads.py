"""What reading a request costs, here and by httptools (llhttp, in C) and h11, side by side.

    python3 -m benchmarks.heads

Each reader makes what the connection works with: a request with its fields in lower case, the
length of its body, and where the next request begins. Rounds of the readers take turns in one
process, so that a busy machine is busy for all of them; what counts is the ratio.
"""

import statistics
import time
from collections.abc import Callable
from typing import Any

import h11

from trio_sio.engine.http import h11 as by_h11_here
from trio_sio.engine.http.exchange import Exchange
from trio_sio.engine.http.fast_path import NO_FIELDS, read_head

try:
    import httptools
except ImportError:
    httptools = None

_BROWSER = (
    b"Host: chat.example:3000\r\nConnection: keep-alive\r\n"
    b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    b"Chrome/130.0.0.0 Safari/537.36\r\nAccept: */*\r\nOrigin: http://chat.example\r\n"
    b"Referer: http://chat.example/\r\nAccept-Encoding: gzip, deflate\r\n"
    b"Accept-Language: en-US,en;q=0.9\r\nCookie: io=3bQf9jqqMnqUDqLDAAAA\r\n"
)
_TARGET = b"/socket.io/?EIO=3&transport=polling&t=PBx1Gm%04d&sid=3bQf9jqqMnqUDqLDAAAA"
_POLL = b"GET " + _TARGET + b" HTTP/1.1\r\n" + _BROWSER + b"\r\n"
_POST = (
    b"POST " + _TARGET + b" HTTP/1.1\r\n" + _BROWSER + b"Content-Type: text/plain;charset=UTF-8\r\n"
    b'Content-Length: 17\r\n\r\n14:42["echo","x"]'
)
CASES = {"poll": _POLL, "POST": _POST}

Reader = Callable[[bytes], tuple[Any, object]]


def ours(*, keeps_fields: bool) -> Reader:
    """Return the fast path, which need not read again what a client repeats."""
    before = NO_FIELDS

    def read(data: bytes) -> tuple[Any, object]:
        nonlocal before
        found = read_head(data, before)
        assert found is not None
        request, fields, end = found
        if keeps_fields:
            before = fields
        return request, data[end:]

    return read


class _Protocol:
    """What httptools calls; does no more than `read_head`, whose checks of fields it leaves out."""

    def __init__(self) -> None:
        self.on_message_begin()

    def on_message_begin(self) -> None:
        self.target = self.body = b""
        self.fields: list[tuple[str, str]] = []
        self.announced = 0

    def on_url(self, url: bytes) -> None:
        self.target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        lower = name.decode("latin-1").lower()
        if lower == "content-length":
            self.announced = int(value)
        self.fields.append((lower, value.decode("latin-1")))

    def on_body(self, body: bytes) -> None:
        self.body += body


def by_httptools() -> Reader:
    """Return a parser for one connection, as httptools means it."""
    protocol = _Protocol()
    parser = httptools.HttpRequestParser(protocol)

    def read(data: bytes) -> tuple[Any, object]:
        parser.feed_data(data)
        method, size = parser.get_method().decode(), protocol.announced
        assert parser.get_http_version() == "1.1"
        assert parser.should_keep_alive()
        request = Exchange(method, protocol.target.decode(), protocol.fields, size, size)
        return request, protocol.body

    return read


def by_h11(data: bytes) -> tuple[Any, object]:
    end = by_h11_here.find_head(data, 16 * 1024)
    return by_h11_here.read_head(data[:end]), data[end:]


def by_h11_alone(data: bytes) -> tuple[Any, object]:
    connection = h11.Connection(h11.SERVER)
    connection.receive_data(data)
    return connection.next_event(), connection.next_event()


def readers() -> dict[str, Reader]:
    """Return the readers by name; the first one is what the others are compared to."""
    found = {
        "here, fields as before": ours(keeps_fields=True),
        "here, fields anew": ours(keeps_fields=False),
        "here, by h11": by_h11,
        "h11 alone": by_h11_alone,
    }
    if httptools is not None:
        found["httptools"] = by_httptools()
    return found


def measure(template: bytes, rounds: int, times: int) -> dict[str, float]:
    """Return the median of seconds that each reader takes for a request."""
    chosen = readers()
    requests = [template.replace(b"%04d", b"%04d" % number) for number in range(times)]
    seconds: dict[str, list[float]] = {name: [] for name in chosen}
    for _ in range(rounds):
        for name, read in chosen.items():
            begun = time.perf_counter()
            for request in requests:
                read(request)
            seconds[name].append((time.perf_counter() - begun) / times)
    return {name: statistics.median(values) for name, values in seconds.items()}


def main(rounds: int = 30, times: int = 1000) -> None:
    print("| request | reader | µs | times the first |\n| --- | --- | ---: | ---: |")
    for case, template in CASES.items():
        found = measure(template, rounds, times)
        base = next(iter(found.values()))
        for name, value in found.items():
            print(f"| {case} | {name} | {value * 1e6:.1f} | {value / base:.1f} |")


if __name__ == "__main__":
    main()
