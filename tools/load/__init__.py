"""Servers under load: a process to watch, and clients that cost little themselves."""
