"""The checks, a file for each area; a docstring says what holds for a server.

handshake   how a session begins
refusals    requests that cannot be served
payloads    the encodings of long polling
upgrade     from long polling to WebSocket
heartbeat   pings, pongs and silence
namespaces  joining, leaving, refusals
events      events and acknowledgements
binary      binary values among the arguments
rooms       who hears a broadcast, and in which order
order       the order of packets
closing     the ends of sessions, and what ends them
limits      messages and bodies that are too large
protocol_5  those of Socket.IO 3 and 4 alone, a file for each area
"""
