"""What the clients of tests have in common, those that judge servers and those in memory.

base_client  a client in one namespace: events, acknowledgements, refusals
transports   long polling in its encodings, and WebSocket
dialect      which revisions a client speaks, and by which encoder and decoder
packets      packets of Engine.IO, as a client reads and writes them
symptom      what a client says because the server has failed
expectation  what came, compared with what should have
"""
