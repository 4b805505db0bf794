"""Long polling: the transport, its HTTP requests, and the bodies of its responses."""
