"""What is done with many sockets at once beside servers of Socket.IO 2.x, which have no such verbs.

asked          does what other servers of this library ask
asking         asks them, and hears what they state
elders         what servers of socket.io-redis 5 take part in
many_sockets   what is done with all sockets of a target
verbs          an adapter's verbs for that
"""
