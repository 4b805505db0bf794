"""Compares two servers: the same script is played to both, and the clients must hear the same.

comparison  plays a script to two servers, and compares, up to what is known to differ
player      plays a script, and returns what clients hear after each step
visitor     one client, which remembers all that comes
line        what its packets go by
heard       what is heard, without what is by chance
"""
