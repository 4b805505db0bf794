"""Engine.IO 3: packets, payloads, the handshake and the table of a session's states."""
