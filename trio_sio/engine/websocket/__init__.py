"""WebSocket: a transport, and the way to it.

endpoint    answers requests for a WebSocket
upgrade     moves a polling session to its WebSocket
transport   the transport: packets in, frames out
backends    the libraries behind it
handshake   the opening handshake of RFC 6455
"""
