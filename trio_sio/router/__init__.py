"""Socket.IO with Trio: who hears what."""
