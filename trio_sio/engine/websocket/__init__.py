"""WebSocket: from the request to the session's last frame.

endpoint    answers the handshake, and hands the connection to a session
handshake   the opening handshake (RFC 6455, section 4.2), the same for all backends
opening     a WebSocket whose handshake has been answered: frames of ours, or another's messages
transport   the transport of a session that speaks by WebSocket
messages    the same where another server has the WebSocket
upgrade     moves a polling session to a WebSocket
backends    reads and parses frames, one file for each library
"""
