"""WebSocket frames without I/O (RFC 6455)."""
