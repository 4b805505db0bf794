"""What the adapters of a cluster ask each other in the format of @socket.io/redis-adapter 8.

answers        answers requests of other servers
conversation   the verbs of an adapter, on all servers
post           how a namespace reaches the other servers
question       an event that clients of all servers are to answer: what is waited for
requests       requests to the other servers, and who has yet to respond
surveyor       such an event of another server: asks the clients of this one
turns          keeps what other servers want in its order
"""
