"""The WebSocket libraries behind the transport.

auto             which of them is used (option `ws_engine`)
websockets       the sans-I/O core of `websockets`
trio_websocket   `trio-websocket`
base             what they have in common
"""
