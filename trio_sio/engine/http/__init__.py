"""One TCP connection: HTTP requests in, responses out, by the fast path or by h11."""
