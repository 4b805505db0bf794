"""Adapters: which socket is in which room, and how a broadcast reaches it.

cluster   a namespace on all servers of a cluster, over any broker
keeper    what that does for clients that come back
memory    rooms of one process
question  an event that several sockets are to answer
recorder  what it keeps for clients that come back
redis     such a cluster through Redis, together with servers in JavaScript
"""
