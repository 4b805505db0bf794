"""Adapters: which socket is in which room, and how a broadcast reaches it.

memory   rooms of one process
"""
