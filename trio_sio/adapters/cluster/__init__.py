"""The adapter of a cluster of servers, over any broker that carries their messages.

adapter    the rooms of one namespace on all servers
answers    answers to requests
broker     what carries the messages, as an adapter sees it
member     what the adapters of one server have in common
requests   requests to the other servers, and who has yet to respond
"""
