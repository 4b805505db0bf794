"""The log that an operator reads: how often a line is written, and what it may show.

throttle   the first line of a kind at once, and then how many there were
shown      what of a client's own words a line may show
place      which mistakes are the same
events     what becomes of clients and their sockets (logger `trio_sio.events`)
wire       the packets of a session (logger `trio_sio.wire`)
"""
