"""Long polling: GETs wait for packets, POSTs bring them.

endpoint        answers the requests of polling sessions
transport       the transport: its outbound half, which answers GETs
posts           its inbound half: a bounded channel from POSTs to the session's reader
held_poll       a GET that waits for packets
payload_format  the payloads of one client: text, binary, JSONP
responses       the responses that carry payloads, and the cookie
compression     gzip and deflate
shared_bodies   bodies that are made once for many clients
"""
