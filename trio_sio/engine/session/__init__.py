"""One Engine.IO client.

session          `Session`: what its handler sees
registry         the sessions of an engine by id, and how many there may be
lifecycle        its tasks and its state
writer           the task that sends what cannot be sent at once
heartbeat        notices that the client has fallen silent
outbox           the outgoing queue, with its limits and the overflow policy
bounded_queue    the queue in it
waiting          the line before it when it is full
first_payload    what goes out with the response to a polling handshake; a WebSocket's first word
connect_timeout  closes a client that joins no namespace
counters         adds up sessions for `statistics()`
log              the lines of the log about one session, and why it ended
"""
