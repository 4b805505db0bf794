"""Judges any Socket.IO server from outside: `trio-sio conformance URL`.

command        `trio-sio conformance`
catalogue      all checks
checks         the checks, a file for each area
conversations  the check that plays generated conversations (extra `testing`)
application    what a server seems to lack of the application that it has to run
differences    in what other servers are known to differ
comparison     another server and socket.io, compared by scripts that clients play to both
area           a check, and the checks of one area
runner         runs checks, one after the other
report         what is told of a run: lines, JSON, JUnit XML
client         a client of the server: sessions, packets, events
heartbeat      keeps its session alive: pings, or receives and answers pings
target         where the server is, and how connections to it are opened
"""
