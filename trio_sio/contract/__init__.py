"""What a server and its clients say to each other, written down for those who write clients.

command     `trio-sio contract`
typescript  types for socket.io-client 2.x
asyncapi    an AsyncAPI 3.0 document
collection  the events of a server's namespaces, with their types and schemas
"""
