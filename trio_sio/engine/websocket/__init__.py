"""WebSocket for the engine: one transport, and one file for each library behind it."""
