"""What bytes cost and when they move: shared by all connections and sessions of an engine.

runtime        holds the others, and runs them
tick           one flush of outboxes at the end of each turn of the event loop
timers         functions that are called at their times
fairness       who may read on when there is much to read
stalls         who holds the event loop, upon
  gc_pauses      pauses of Python's garbage collector
stream         the bytes of one connection
listeners      where a server listens
socket_errors  which errors of the kernel end a connection
"""
