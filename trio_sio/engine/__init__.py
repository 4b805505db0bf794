"""Engine.IO with Trio: TCP connections become sessions, bytes become messages."""
