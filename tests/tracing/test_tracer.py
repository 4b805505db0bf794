"""Spans as OpenTelemetry's SDK exports them."""

import logging
import re
from collections.abc import Iterator
from typing import Any

import pytest
import trio
from hypothesis import given, strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from trio.testing import MockClock

import trio_sio
from trio_sio.router.traced import TracedDispatcher
from trio_sio.testing import connect
from trio_sio.tracing import instrument

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = {"traceparent": f"00-{TRACE}-{SPAN}-01"}
HERE = __name__


class Traces:
    """A provider of the SDK's, and what it has exported."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.provider = TracerProvider(shutdown_on_exit=False)
        self.provider.add_span_processor(SimpleSpanProcessor(self._exporter))

    def server(self, **options: Any) -> trio_sio.Server:  # noqa: ANN401
        io = trio_sio.Server(**options)
        instrument(io, self.provider)
        return io

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        """The spans that have ended, in that order."""
        return self._exporter.get_finished_spans()

    def names(self) -> list[str]:
        return [span.name for span in self.spans]

    def one(self, name: str) -> ReadableSpan:
        (span,) = (span for span in self.spans if span.name == name)
        return span


@pytest.fixture
def traces() -> Iterator[Traces]:
    made = Traces()
    yield made
    made.provider.shutdown()


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


# -- what there is -----------------------------------------------------------------------------


async def test_an_event(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server()

    @io.of("/chat").on("add")
    async def add(socket: trio_sio.Socket, a: int, b: int) -> int:
        await trio.sleep(1)
        return a + b

    async with connect(io, "/chat") as client:
        assert await client.call("add", 1, 2) == [3]
    span = traces.one("process /chat add")
    assert span.kind is SpanKind.CONSUMER
    assert span.parent is None
    assert span.status.status_code is StatusCode.UNSET
    assert not span.events
    assert not span.links
    name = f"{HERE}.test_an_event.<locals>.add"
    assert attributes(span) == {
        "messaging.system": "socket.io",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "/chat",
        "trio_sio.event": "add",
        "trio_sio.session": "memory…",
        "trio_sio.transport": "memory",
        "code.function.name": name,
    }


async def test_the_whole_life_of_a_socket(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server()
    io.use(lambda _socket: None)
    for event in ("connect", "connection", "disconnecting", "disconnect"):
        io.on(event, lambda _socket: None)

    @io.on("ask")
    async def ask(socket: trio_sio.Socket) -> None:
        await socket.emit("question", ack=lambda answer: None)

    async with connect(io) as client:
        await client.emit("ask")
        await client.answer(await client.receive_packet(), 1)
        await client.emit("nobody handles it")
    kinds = {span.name: span.kind for span in traces.spans}
    assert kinds == {
        "middleware /": SpanKind.SERVER,
        "connect /": SpanKind.SERVER,
        "connection /": SpanKind.SERVER,
        "process / ask": SpanKind.CONSUMER,
        "acknowledgement /": SpanKind.INTERNAL,
        "disconnecting /": SpanKind.INTERNAL,
        "disconnect /": SpanKind.INTERNAL,
    }
    assert all(span.parent is None for span in traces.spans)


async def test_methods_of_an_object(traces: Traces, autojump_clock: MockClock) -> None:
    class Shop(trio_sio.Handlers):
        async def on_connection(self, socket: trio_sio.Socket) -> None:
            socket.data["name"] = "shop"

        @trio_sio.on("chat message", ack=True)
        async def say(self, socket: trio_sio.Socket, text: str, send: Any) -> None:  # noqa: ANN401
            send(text)

    io = traces.server()
    io.register("/shop", Shop())
    async with connect(io, "/shop") as client:
        assert await client.call("chat message", "hi") == ["hi"]
    assert traces.names() == ["connection /shop", "process /shop chat message"]
    span = traces.one("process /shop chat message")
    assert str(attributes(span)["code.function.name"]).endswith("Shop.say")


async def test_packet_middleware_and_handlers_of_one_socket(
    traces: Traces, autojump_clock: MockClock
) -> None:
    io = traces.server()

    @io.on("connection")
    async def welcome(socket: trio_sio.Socket) -> None:
        socket.use(lambda packet: None)
        socket.on("news", lambda text: text)

    async with connect(io) as client:
        assert await client.call("news", "x") == ["x"]
    assert traces.names() == ["connection /", "packet middleware /", "process / news"]


# -- what clients choose -----------------------------------------------------------------------


async def test_clients_choose_no_name_of_a_span(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server()
    teams = io.of(re.compile(r"/team-\d+"))
    teams.on("*", lambda _socket, event, *args: event)

    @teams.on("connection")
    async def welcome(socket: trio_sio.Socket) -> None:
        @socket.on("*")
        async def anything(event: str, *args: object) -> None: ...

    long = "x" * 1000
    async with connect(io, "/team-7") as client:
        for event in ("a", long, "line\nbreak", "\ud800"):
            await client.call(event)
    assert set(traces.names()) == {r"process /team-\d+ *", r"connection /team-\d+"}
    spans = [span for span in traces.spans if span.kind is SpanKind.CONSUMER]
    events = [attributes(span)["trio_sio.event"] for span in spans]
    assert events == [
        *["a", "a", "x" * 60 + "…", "x" * 60 + "…", r"line\nbreak", r"line\nbreak"],
        *[r"\ud800", r"\ud800"],
    ]
    for span in spans:
        assert attributes(span)["messaging.destination.name"] == "/team-7"
        assert attributes(span)["messaging.destination.template"] == r"/team-\d+"


async def test_a_link_to_the_handshakes_trace(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server()
    io.on("news", lambda _socket: None)
    async with connect(io, headers=TRACEPARENT) as client:
        await client.call("news")
        await client.call("news")
    first, second = traces.spans
    for span in (first, second):
        (link,) = span.links
        assert trace.format_trace_id(link.context.trace_id) == TRACE
        assert trace.format_span_id(link.context.span_id) == SPAN
    assert first.context is not None
    assert second.context is not None
    assert first.context.trace_id != second.context.trace_id


@given(garbage=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=70))
def test_a_traceparent_that_is_none(garbage: str) -> None:
    traces = Traces()

    async def main() -> None:
        io = traces.server()
        io.on("news", lambda _socket: None)
        headers = {"traceparent": garbage, "tracestate": garbage, "baggage": garbage}
        async with connect(io, headers=headers) as client:
            await client.call("news")

    trio.run(main, clock=MockClock(autojump_threshold=0))
    assert traces.names() == ["process / news"]
    traces.provider.shutdown()


# -- failures and refusals ---------------------------------------------------------------------


class Broken(Exception):
    """What the application raises."""


def fails(*args: object) -> None:
    raise Broken("out of stock")


@pytest.mark.parametrize("concurrent", [False, True])
async def test_a_handler_that_fails(
    concurrent: bool, traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = traces.server()

    @io.on("buy", concurrent=concurrent)
    async def buy(socket: trio_sio.Socket) -> None:
        await trio.lowlevel.checkpoint()
        fails()

    async with connect(io, raise_errors=False) as client:
        await client.emit("buy")
        await trio.sleep(1)  # or a concurrent handler is cancelled
    span = traces.one("process / buy")
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "out of stock"
    assert attributes(span)["error.type"] == "Broken"
    (event,) = span.events
    assert event.name == "exception"
    assert event.attributes is not None
    assert "fails()" in str(event.attributes["exception.stacktrace"])
    assert len(caplog.records) == 1


@pytest.mark.parametrize("event", ["connect", "connection", "disconnecting", "disconnect"])
async def test_other_handlers_that_fail(
    event: str, traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = traces.server()
    io.on(event, fails)
    async with connect(io, raise_errors=False) as client:
        await client.emit("buy")
    span = traces.one(f"{event} /")
    assert span.status.status_code is StatusCode.ERROR
    assert [one.name for one in span.events] == ["exception"]


async def test_errors_that_are_raised_are_recorded_too(
    traces: Traces, autojump_clock: MockClock
) -> None:
    io = traces.server()
    io.on("buy", fails)
    with pytest.raises(Broken):
        async with connect(io, raise_errors=True) as client:
            await client.emit("buy")
            await client.session.wait_closed()
    assert traces.one("process / buy").status.status_code is StatusCode.ERROR


async def test_an_answer_that_cannot_be_sent(
    traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = traces.server()
    io.on("buy", lambda _socket: object())
    async with connect(io, raise_errors=False) as client:
        with pytest.raises(trio.TooSlowError):
            await client.call("buy", timeout=0.1)
    span = traces.one("process / buy")
    assert span.status.status_code is StatusCode.ERROR
    assert attributes(span)["error.type"] == "LocalProtocolError"


async def test_who_is_refused(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server(validate=True)

    @io.on("buy")
    async def buy(socket: trio_sio.Socket, number: int) -> None:
        raise trio_sio.Refused("sold out")

    @io.of("/closed").use
    async def check(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("closed")

    @io.of("/full").on("connection")
    async def welcome(socket: trio_sio.Socket) -> None:
        raise trio_sio.ConnectionRefused("full")

    async with connect(io) as client:
        await client.emit("buy", 1)
        await client.emit("buy", "one")  # option `validate`
        with pytest.raises(trio_sio.ConnectionRefused):
            async with connect(io, "/closed"):
                pass
        async with connect(io, "/full"):
            pass
    refused = {
        (span.name, attributes(span).get("trio_sio.refused"), span.status.status_code)
        for span in traces.spans
    }
    assert refused == {
        ("process / buy", "Refused", StatusCode.UNSET),
        ("process / buy", "WrongArguments", StatusCode.UNSET),
        ("middleware /closed", "ConnectionRefused", StatusCode.UNSET),
        ("connection /full", "ConnectionRefused", StatusCode.UNSET),
    }
    assert not any(span.events for span in traces.spans)


async def test_a_wrong_number_of_arguments_is_no_error(
    traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = traces.server()

    @io.on("buy")
    async def buy(socket: trio_sio.Socket, number: int) -> None: ...

    async with connect(io) as client:
        await client.emit("buy", 1, 2, 3)
    span = traces.one("process / buy")
    assert attributes(span)["trio_sio.refused"] == "WrongArguments"
    assert span.status.status_code is StatusCode.UNSET


async def test_middleware_that_fails(
    traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    io = traces.server()
    io.use(fails)
    with pytest.raises(trio_sio.ConnectionRefused):
        async with connect(io, raise_errors=False):
            pass
    assert traces.one("middleware /").status.status_code is StatusCode.ERROR


async def test_a_handler_that_is_cancelled(traces: Traces, autojump_clock: MockClock) -> None:
    io = traces.server(grace=0.1)
    begun = trio.Event()

    @io.on("wait")
    async def wait(socket: trio_sio.Socket) -> None:
        begun.set()
        await trio.sleep_forever()

    async with connect(io) as client:
        await client.emit("wait")
        await begun.wait()
    assert traces.one("process / wait").status.status_code is StatusCode.UNSET


# -- the current span ----------------------------------------------------------------------------


@pytest.mark.parametrize("concurrent", [False, True])
async def test_spans_of_handlers_that_run_together_do_not_mix(
    concurrent: bool, traces: Traces, autojump_clock: MockClock
) -> None:
    io = traces.server()
    tracer = trace.get_tracer("application", tracer_provider=traces.provider)
    seen: list[tuple[int, int]] = []

    @io.on("work", concurrent=concurrent)
    async def work(socket: trio_sio.Socket, seconds: int) -> None:
        outside = trace.get_current_span()
        with tracer.start_as_current_span(f"child {seconds}"):
            for _ in range(10):
                await trio.sleep(seconds)
        assert trace.get_current_span() is outside
        seen.append((seconds, outside.get_span_context().span_id))

    with tracer.start_as_current_span("around the server"):
        async with io, connect(io) as one, connect(io) as other:
            for seconds in (3, 1, 2):
                await one.emit("work", seconds)
                await other.emit("work", seconds + 10)
            await trio.sleep(500)
        assert trace.get_current_span().is_recording()
    assert sorted(number for number, _ in seen) == [1, 2, 3, 11, 12, 13]
    assert len({span for _, span in seen}) == 6
    for seconds, span_id in seen:
        child = traces.one(f"child {seconds}")
        assert child.parent is not None
        assert child.parent.span_id == span_id
    works = [span for span in traces.spans if span.name == "process / work"]
    assert len(works) == 6
    assert all(span.parent is None for span in works)


async def test_what_goes_on_after_a_handler_is_not_in_its_span(
    traces: Traces, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Tasks that a handler starts have its span, which has ended, as the parent of theirs."""
    io = traces.server()
    tracer = trace.get_tracer("application", tracer_provider=traces.provider)

    @io.on("begin")
    async def begin(socket: trio_sio.Socket) -> None:
        socket.nursery.start_soon(later, socket)

    async def later(socket: trio_sio.Socket) -> None:
        await trio.sleep(1)
        with tracer.start_as_current_span("later"):
            await socket.emit("later", ack=fails)

    with caplog.at_level(logging.WARNING, "opentelemetry"):
        async with connect(io, raise_errors=False) as client:
            await client.emit("begin")
            await client.answer(await client.receive_packet())
    assert [record for record in caplog.records if record.name.startswith("opentel")] == []
    begun, later_span = traces.one("process / begin"), traces.one("later")
    assert later_span.parent is not None
    assert begun.context is not None
    assert later_span.parent.span_id == begun.context.span_id
    assert traces.one("acknowledgement /").status.status_code is StatusCode.ERROR


# -- without it ------------------------------------------------------------------------------------


async def test_without_it_nothing_is_traced(autojump_clock: MockClock) -> None:
    io = trio_sio.Server()
    io.on("news", lambda _socket: trace.get_current_span().is_recording())
    async with connect(io) as client:
        assert await client.call("news") == [False]
        (socket,) = io.sockets.connected.values()
        assert not isinstance(socket.dispatcher, TracedDispatcher)


async def test_once_and_before_it_serves(traces: Traces) -> None:
    io = traces.server()
    with pytest.raises(RuntimeError, match="instrumented already"):
        instrument(io, traces.provider)
    other = trio_sio.Server()
    async with other:
        with pytest.raises(RuntimeError, match="before serving"):
            instrument(other)
