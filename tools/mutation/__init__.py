"""Mutation testing: changes `trio_sio/protocol/` in small ways and looks whether a test notices."""
