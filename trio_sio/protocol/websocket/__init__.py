"""WebSocket frames without I/O (RFC 6455).

frame          the head of a frame of the server's
frame_parser   the messages in what a client sends
errors         why there are no more messages, and the close codes that say so
"""
