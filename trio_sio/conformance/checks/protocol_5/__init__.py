"""The checks that hold for clients of Socket.IO 3 and 4 alone, whose protocol is 5.

handshake   how a session begins: nothing is joined unasked
revisions   requests that say another revision than their session
payloads    the one encoding of long polling
heartbeat   the server pings
upgrade     pings around an upgrade
namespaces  what clients say when they join, ids, and refusals
strictness  what ends a session, and what does not
"""
