"""Engine.IO without I/O: packets, payloads, handshakes, and the states of a session.

packet      one packet in its spellings
codec_v3    payloads of several packets, by polling
jsonp_form  the form in which a JSONP client posts
handshake   the query of a request, and the packet that opens a session
version     what differs between revisions of the protocol
state       the states of a session
"""
