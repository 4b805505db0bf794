"""One Engine.IO client: its life, its outgoing queue, its heartbeat.

session          what the handler of a client sees
lifecycle        its tasks, its state, and why it ended
registry         all sessions of an engine, and places for those to come
outbox           the outgoing queue, upon
  bounded_queue    a queue bounded by packets and bytes
  waiting          the line of senders that wait for room
writer           sends what the outbox cannot send without waiting
heartbeat        notices silence
connect_timeout  closes a client that joins nothing
first_payload    the answer to a polling handshake
counters         numbers of all sessions, also of those that have ended
log              where the lines about a session go
"""
