"""Connection state recovery: what clients of Socket.IO 4 missed, and the sessions that may return.

failure   why a session does not return
log       the events that were sent, in their order
rooms     in which rooms a socket was, and when
session   what is kept of one socket
store     all of it, for one namespace or for all that a dynamic one has made

There is no I/O, no clock and no chance in here: the time, ids and what is sent are arguments.
"""
