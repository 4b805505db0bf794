"""Adapters: which socket is in which room, and how a broadcast reaches it.

cluster   a namespace on all servers of a cluster, over any broker
memory    rooms of one process
redis     such a cluster through Redis, together with servers in JavaScript
"""
