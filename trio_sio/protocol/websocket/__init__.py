"""WebSocket frames without I/O (RFC 6455).

frame           writes a server's frames
frame_parser    parses a client's frames into messages
errors          why there are no more messages
"""
