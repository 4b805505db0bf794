"""One Engine.IO client: its life, its outgoing queue, its heartbeat."""
