"""Words on the wire: Engine.IO 3 and Socket.IO 4 as values and functions.

Nothing here knows an event loop, a clock, a socket or a log; time enters as a number.

encoded     one packet on its way out, with its bytes for each wire format
socketio    packets of Socket.IO, in JSON and MessagePack
engineio    packets and payloads of Engine.IO, its handshake, the states of a session
websocket   frames
cluster     what the servers of a cluster say to each other
http        what h11 leaves to us
errors      `LocalProtocolError` and `RemoteProtocolError`
shown       packets as `repr` shows them: their wire form, cut
"""
