"""Engine.IO 3 and 4: packets, payloads, the handshake and the states of a session.

packet       a packet, as text, as a binary frame and as base64
codec_v3     payloads of Engine.IO 3: several packets in one HTTP body
codec_v4     packets and payloads of Engine.IO 4
jsonp_form   the form by which a page posts a payload with JSONP
handshake    the query of a request, its errors, the OPEN packet
session_id   ids that name the node which has the session
state        the states of a session, in one table
version      what differs between revisions of the protocol
"""
