"""The WebSocket libraries behind the transport, one file each."""
