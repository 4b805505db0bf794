"""What all connections and sessions of one engine share.

runtime         `Runtime`: one object with everything below, and the tasks that it needs
stream          bytes in and out of one connection, with short cuts for plain TCP
timers          one task for the time limits of everybody
tick            which turn of the event loop it is, and one flush at its end
fairness        in turns: no client that floods keeps others waiting
stalls          who holds the event loop, and for how long
gc_pauses       how long Python's garbage collector holds it
listeners       accepting connections, and the addresses that can be opened
socket_errors   which errors of the kernel end a connection, and which pass
"""
