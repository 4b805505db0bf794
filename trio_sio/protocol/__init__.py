"""Words on the wire: Engine.IO 3 and Socket.IO 4 as values and functions.

Nothing here knows an event loop, a clock, a socket or a log; time enters as a number.
"""
