"""What `fuzz_connection` does with connections.

steps       the program that an input is
client      the connections that it is run on
answers     what a server may send
"""
