"""Traces for OpenTelemetry; needs the extra `tracing`.

tracer   spans for the calls of handlers and middleware
"""

from trio_sio.tracing.tracer import instrument as instrument
