"""Reads WebSocket frames from a connection; a library parses what `FrameParser` leaves to it.

base            what a backend is, and the reading that all of them share
auto            chooses one (option `ws_engine`)
websockets      by the sans-I/O core of websockets; can compress
trio_websocket  by trio-websocket, which is always installed
"""
