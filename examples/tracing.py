"""Traces: a span for each call of a handler, around the spans of what the handler does."""

import trio
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import ConsoleSpanExporter, SimpleSpanProcessor

import trio_sio
from trio_sio.tracing import instrument


def one_line(span):
    return f"{span.name}: {span.status.status_code.name}\n"


provider = TracerProvider()  # in production with a BatchSpanProcessor, which does not block
provider.add_span_processor(SimpleSpanProcessor(ConsoleSpanExporter(formatter=one_line)))
tracer = trace.get_tracer("shop", tracer_provider=provider)

io = trio_sio.Server()
instrument(io, provider)


@io.on("order")
async def order(socket, item, pieces):
    with tracer.start_as_current_span("look up"):  # a child of this call's span
        await trio.sleep(0.01)  # as long as a database takes
    return 100 // pieces


if __name__ == "__main__":
    trio_sio.run(io, 3000)
