"""What servers say to each other in the format of @socket.io/redis-adapter 7 and 8.

broadcast   an event for the sockets of other servers, in MessagePack
message     an object in JSON or, if there are bytes in it, in MessagePack
request     what a server asks the others, or tells them to do
response    what they respond
selection   which sockets a message is about, and how they are sent an event

Broadcasts have nearly the layout of socket.io-redis 5. Requests have the same channels and other
numbers: there, 3 is to join and here to leave. They are told apart by `requestId`, which is
`requestid` there; so servers of both generations do not fit under one key.
"""
