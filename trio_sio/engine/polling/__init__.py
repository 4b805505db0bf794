"""Long polling: GETs that wait for packets, and POSTs that bring them.

endpoint         answers the requests of sessions that poll
transport        the outbound half of a session's transport, and how polling ends
posts            the inbound half
held_poll        a GET that waits for packets
payload_format   how a client's packets become a body, and a body packets
responses        the responses that carry packets, and the cookie
shared_bodies    bodies made once for all clients that get the same packets
compression      gzip and deflate

Nothing here knows of sockets: requests are answered through `http.responder`.
"""
