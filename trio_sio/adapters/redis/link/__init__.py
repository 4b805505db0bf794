"""Connections to Redis: where it is, how to get there, and what is said on the way.

address      what a URL says
backoff      how long to wait before the next attempt
connection   commands out, replies in, over one stream
connector    opens connections: stream, TLS, log-in; asks Sentinels where the primary is
keeper       a connection that is opened again whenever it is lost
resp         the protocol's bytes
"""
