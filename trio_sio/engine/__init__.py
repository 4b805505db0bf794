"""Engine.IO with Trio: TCP connections become sessions, bytes become messages.

A folder imports from those below it, and never from its neighbours on the same line.

engine                  `Engine`: its life, and the ways to serve
neighbour               another server at another path of the same port
connections             the TCP connections: counted, served, closed
endpoint                routes each HTTP request: which session, which transport, or a refusal
websocket               how a session's packets travel by WebSocket, and the upgrade to it
polling                 how they travel by long polling
hooks                   the application's functions that see requests, and fields of responses
handshake               how a session begins: what the application says, its id, the OPEN packet
session, http           one client; one TCP connection that speaks HTTP. They do not know each other
admission, refusal      how many connections there may be; what a refused request is told
proxies                 what proxies are believed about whom a request comes from
proxy_protocol          the header that a proxy writes before a connection's own bytes
proxy_faults            what a proxy does to requests so that they are refused
runtime                 what everything above shares: streams, timers, ticks, fairness, stalls

The tasks are drawn in `engine`.
"""
