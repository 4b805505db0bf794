"""One TCP connection that speaks HTTP: requests in, responses out.

connection      keep-alive, pipelining, `Expect`, limits; a responder for each of its requests
responder       what an endpoint needs in order to answer: this is not tied to a socket
holding         a response that is not known yet
exchange        one request and its response, whichever reader has read its head
streaming       a body that the application makes piece by piece
request_reader  finds the heads and bodies of requests in what a connection brings
fast_path       reads the heads that Socket.IO clients send
h11             reads all others, with h11
timeouts        how long each part of a request may take
cors            which origins are welcome, and preflights
static_files    the browser's client
fallback        requests that belong to the application
"""
