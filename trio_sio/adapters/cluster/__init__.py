"""The adapter of a cluster of servers, over any broker that carries their messages.

adapter        the rooms of one namespace on all servers
answers        answers to requests
broadcasts     two formats of broadcasts
broker         what carries the messages, as an adapter sees it
conversation   what can be asked of all servers, in the format of socket.io-redis 5
generation     which servers in JavaScript share the cluster
many           many sockets at once beside servers of Socket.IO 2.x
member         what the adapters of one server have in common
pending        a request that waits for responses, and who is missing
requests       requests to the other servers, and who has yet to respond
told           how much other servers are told of what clients say
v8             what can be asked of all servers, in the format of @socket.io/redis-adapter 8
"""
