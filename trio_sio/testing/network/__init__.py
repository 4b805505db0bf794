"""A network with faults, between clients of bytes and a server, in memory.

network     the network: connects clients, and keeps the transcript
client      a client of bytes in one namespace
session     its session, by any transport
heartbeat   when it pings, and for how long it bears silence
outgoing    what it sends, one request behind the other
route       all connections of one client: they break and freeze together
stream      one end of a connection
pipe        one direction of a connection: delays, pieces, limits
faults      what a network does to a client
transcript  what went when
"""
