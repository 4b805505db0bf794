"""One TCP connection: HTTP requests in, responses out.

connection       serves a connection: keep-alive, pipelining, limits; is the responder for a request
responder        what answers a request, for whoever need not know of sockets
holding          a response that is not known yet, for a request that is held until it is
request_reader   reads heads and bodies
fast_path        reads the heads that Socket.IO clients send
h11              reads all other heads
exchange         a request that was read, and what the head of its response says
timeouts         the time limits of requests
cors             origins, and the preflights of browsers
static_files     serves the browser client (option `serve_client`)
fallback         has the application answer other requests (option `fallback`)
"""
