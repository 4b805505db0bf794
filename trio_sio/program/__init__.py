"""Programs that are only a server.

run         serves until a signal comes, then ends in peace
signals     the first one asks to end, the second one ends
listening   the listeners: opened, or a sentence why not, and what their addresses are
output      output that somebody stops to read
"""
