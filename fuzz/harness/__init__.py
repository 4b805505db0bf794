"""Runs a fuzz target, guided by coverage where Atheris is installed, else by what comes of inputs.

command     the program of a target
guided      the command that runs a target under Atheris, which `__main__` does
mutation    tries mutations of the inputs that had a new outcome
inputs      seeds, regressions, and where a run keeps what it has found
selection   which of the found inputs are worth to become seeds
"""

from fuzz.harness.command import main

__all__ = ["main"]
