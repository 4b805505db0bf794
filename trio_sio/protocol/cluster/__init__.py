"""What the servers of a cluster say to each other, in the format of socket.io-redis 5.4.

channels    the channels of a namespace and of its rooms
broadcast   an event for the sockets of other servers, in MessagePack
request     what a server asks the others, and what they respond, in JSON
question    what servers of this library ask about many sockets at once, in MessagePack
probe       how servers of this library announce themselves, in JSON
text        JSON as JavaScript writes and reads it
ids         ids of servers and of requests
v8          the same in the format of @socket.io/redis-adapter 8
"""
