"""WebSocket frames without I/O (RFC 6455).

frame           writes a server's frames
frame_parser    parses a client's frames into messages
close_search    finds a client's close frame among frames that nobody reads any more
errors          why there are no more messages
"""
