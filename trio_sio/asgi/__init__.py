"""ASGI 3: another application on the server's port, or the server under another's.

fallback    `Fallback`: what `Server(fallback=…)` takes
lifespan    the application's start and end
http        one request of HTTP
websocket   one WebSocket of the application's own
deflate     its compression
scope       what the application is told of a request
types       the interface's types

application          `Application`: the server as an ASGI application
mounted_request      a request that another server has read
mounted_responder    answers it
mounted_websocket    a WebSocket that another server has
"""

from trio_sio.asgi.application import Application as Application
from trio_sio.asgi.fallback import Fallback as Fallback
