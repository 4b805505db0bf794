"""HTTP/1.1 without I/O: the grammar that h11 leaves to us, and rules for responses."""
