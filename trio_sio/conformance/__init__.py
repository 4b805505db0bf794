"""Judges any Socket.IO 2.x server from outside: `trio-sio conformance URL`.

command        `trio-sio conformance`
catalogue      all checks
checks         the checks, a file for each area
conversations  the check that plays generated conversations (extra `testing`)
differences    in what other servers are known to differ
area           a check, and the checks of one area
runner         runs checks, one after the other
report         what is told of a run: lines, JSON, JUnit XML
client         a client of the server: sessions, packets, events
transports     long polling in its encodings, and WebSocket
target         where the server is, and how connections to it are opened
expectation    what came, compared with what should have
"""
