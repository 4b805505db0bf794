"""ASGI 3: another application on the server's port.

fallback    `Fallback`: what `Server(fallback=…)` takes
lifespan    the application's start and end
http        one request of HTTP
websocket   one WebSocket of the application's own
scope       what the application is told of a request
types       the interface's types
"""

from trio_sio.asgi.fallback import Fallback as Fallback
